package changelog

import (
	"encoding/binary"

	"github.com/millrace-streams/millrace/store"
)

// An Entry is one changelog record. A nil Value is a deletion.
type Entry struct {
	Key, Value []byte
	Time       int64 // milliseconds since the epoch
}

// An Applier takes rows and the checkpoint they end at, in one write. store.DB is one.
type Applier interface {
	Load(rows []store.KV, at store.Checkpoint) error
}

// A Restore feeds one changelog partition into a store.
type Restore struct {
	to     Applier
	prefix []byte
	at     store.Checkpoint // at.Offset <= end until done
	end    int64
	rows   []store.KV
	buf    []byte
	count  int64
}

// NewRestore restores rows under a store's prefix, from a checkpoint to end, the high watermark read after the inputs'
// offsets were stable.
func NewRestore(from store.Checkpoint, end int64, prefix []byte, to Applier) *Restore {
	return &Restore{to: to, prefix: prefix, at: from, end: end}
}

// Feed applies a batch. position is the reader's after it: beyond the offset of the last record when markers or holes follow.
func (r *Restore) Feed(batch []Entry, position int64) error {
	r.rows, r.buf = r.rows[:0], r.buf[:0]
	size := 0
	for _, e := range batch {
		size += len(r.prefix) + len(e.Key) + 8 + len(e.Value)
	}
	if cap(r.buf) < size { // rows point into buf: it must not move while they are made
		r.buf = make([]byte, 0, size)
	}
	for _, e := range batch {
		var kv store.KV
		n := len(r.buf)
		r.buf = append(append(r.buf, r.prefix...), e.Key...)
		kv.Key = r.buf[n:len(r.buf):len(r.buf)]
		if e.Value != nil {
			n = len(r.buf)
			r.buf = append(binary.BigEndian.AppendUint64(r.buf, uint64(e.Time)), e.Value...)
			kv.Value = r.buf[n:len(r.buf):len(r.buf)]
		}
		r.rows = append(r.rows, kv)
	}
	r.at.Offset = max(r.at.Offset, position)
	r.count += int64(len(batch))
	return r.to.Load(r.rows, r.at)
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
