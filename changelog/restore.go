package changelog

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// An Entry is one changelog record. A nil Value is a deletion.
type Entry = layout.Entry

// An Applier takes rows and the checkpoint they end at, in one write. store.DB is one.
type Applier interface {
	Load(rows []store.KV, at store.Checkpoint) error
}

// A source of rows shows a format that restores rows from what came before what there is. store.DB is one.
type source interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Range(from, to []byte, reverse bool) store.Iter
}

// A Restore feeds one changelog partition into a store.
type Restore struct {
	to     Applier
	format layout.Format
	rows   *layout.Writer
	prefix []byte
	source bool // a source topic serves as changelog
	begun  bool
	at     store.Checkpoint // at.Offset <= end until done
	end    int64
	count  int64
}

// NewRestore restores the rows of a store under its prefix, from a checkpoint to end, the high watermark read after the
// inputs' offsets were stable.
func NewRestore(d *decl.Store, from store.Checkpoint, end int64, prefix []byte, to Applier) *Restore {
	return &Restore{to: to, format: layout.Of(d), rows: layout.NewWriter(prefix), prefix: prefix, source: d.Source != "", at: from, end: end}
}

// Feed applies a batch; a record that its store cannot have written is an error. position is the reader's after it: beyond the offset of the last record when markers or holes follow.
func (r *Restore) Feed(batch []Entry, position int64) error {
	r.rows.Reset()
	stateful, _ := r.format.(layout.Stateful)
	if err := r.begin(stateful); err != nil {
		return err
	}
	for i := range batch {
		if r.source && batch[i].Time < 0 { // it was dropped when it was read
			continue
		}
		r.format.Rows(r.rows, &batch[i])
		r.rows.Next()
		if err := r.rows.Err(); err != nil {
			return fmt.Errorf("changelog: a record of %s is none of its store: %w", r.at.Changelog, err)
		}
	}
	if stateful != nil {
		stateful.Rest(r.rows)
	}
	r.at.Offset = max(r.at.Offset, position)
	r.count += int64(len(batch))
	return r.to.Load(r.rows.Rows(), r.at)
}

// begin tells a format once how far the rows of the checkpoint go.
func (r *Restore) begin(format layout.Stateful) error {
	from, ok := r.to.(source)
	if r.begun || format == nil || !ok {
		return nil
	}
	r.begun = true
	return format.Resume(layout.Under(r.prefix, from))
}

// Finish notes that the store was at the end of the log at the given time, milliseconds since the epoch.
func (r *Restore) Finish(stamp int64) error {
	r.at.Stamp = stamp
	return r.to.Load(nil, r.at)
}

// Done reports whether the reader's position has reached the end.
func (r *Restore) Done() bool { return r.at.Offset >= r.end }

// Position returns the next offset to read, End the one to reach, Count the records applied.
func (r *Restore) Position() int64 { return r.at.Offset }

// End returns the offset to reach.
func (r *Restore) End() int64 { return r.end }

// Count returns the records applied so far.
func (r *Restore) Count() int64 { return r.count }
