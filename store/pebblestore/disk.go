package pebblestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// maxSublevels is how many files of the top level may cover one key before writes wait for compactions.
const maxSublevels = 24

// ahead is how many rows ahead of the one being written are fetched from memory: in key order they lie anywhere.
const ahead = 8

// disk is the overlay's base: one Pebble database.
type disk struct {
	dir     string
	engine  *Engine
	fs      vfs.FS
	lock    *pebble.Lock
	db      *pebble.DB
	opts    *pebble.Options
	batch   int           // bytes applied at once
	rows    sorter        // of the batch being applied
	held    int64         // bytes of the database's table
	files   int           // written so far
	state   atomic.Uint64 // counts what changes the database's files
	walks   sync.Mutex    // guards spare
	spare   *iter         // the last walk that ended, to be used again; nil: none
	near    byte          // keeps the compiler from leaving reads ahead out
	event   chan struct{} // capacity 1: a compaction ended
	broken  chan struct{} // closed when the first compaction failed
	once    sync.Once
	failure error // set before broken is closed
}

var _ overlay.Base = (*disk)(nil)

// Get implements overlay.Base.
func (d *disk) Get(dst, key []byte) ([]byte, bool, error) {
	value, closer, err := d.db.Get(key)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return dst, false, nil
		}
		return dst, false, d.wrap(err)
	}
	dst = append(dst, value...)
	if err := closer.Close(); err != nil {
		return dst, false, d.wrap(err)
	}
	return dst, true, nil
}

// Apply implements overlay.Base: the rows are sorted and become one file per store, the checkpoints a file of their own, so that rows
// that rise in time never overlap those before.
func (d *disk) Apply(rows overlay.Rows, count int, checkpoints []store.Checkpoint, gone []overlay.Span) error {
	if err := d.room(); err != nil {
		return err
	}
	// Databases of equal load fill their batches at the same time. All at once would slow down every commit meanwhile.
	d.engine.turns <- struct{}{}
	defer func() { <-d.engine.turns }()
	l := &load{d: d}
	slices.SortFunc(checkpoints, func(a, b store.Checkpoint) int { return strings.Compare(a.Changelog, b.Changelog) })
	for i, cp := range checkpoints {
		if i == 0 {
			l.begin()
		}
		l.set(metaKey(kindCheckpoint, cp.Changelog), checkpointValue(cp))
	}
	prefix := -1
	refs := d.rows.sort(rows, count)
	for i, r := range refs {
		if i+ahead < len(refs) {
			d.near += rows[refs[i+ahead].off]
		}
		key, value, has, _ := rows[r.off:].Next()
		if len(gone) > 0 && expired(key, gone) {
			continue
		}
		if prefix != int(r.prefix) {
			prefix = int(r.prefix)
			l.begin()
		}
		if has {
			l.set(key, value)
		} else {
			l.delete(key)
		}
	}
	if err := l.ingest(pebble.KeyRange{}); err != nil {
		return err
	}
	for _, s := range gone { // no offset depends on it: what expired is not shown
		if err := d.db.Excise(context.Background(), pebble.KeyRange{Start: s.From, End: s.To}); err != nil {
			return d.wrap(err)
		}
		d.changed()
	}
	return nil
}

func expired(key []byte, gone []overlay.Span) bool {
	return slices.ContainsFunc(gone, func(s overlay.Span) bool {
		return bytes.Compare(s.From, key) <= 0 && bytes.Compare(key, s.To) < 0
	})
}

// room waits until compactions have caught up, or failed: reads look into each of the files that cover a key.
func (d *disk) room() error {
	for d.db.Metrics().Levels[0].Sublevels >= maxSublevels {
		select {
		case <-d.event:
		case <-d.broken:
			return d.failure
		}
	}
	select {
	case <-d.broken:
		return d.failure
	default:
		return nil
	}
}

// Wipe implements overlay.Base.
func (d *disk) Wipe(prefix []byte, changelog string) error {
	l := &load{d: d}
	l.begin()
	l.delete(metaKey(kindCheckpoint, changelog))
	return l.ingest(pebble.KeyRange{Start: prefix, End: after(prefix)})
}

// after returns the first key that is above all keys with a prefix, nil if there is none.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Flush implements overlay.Base: what was applied is durable.
func (d *disk) Flush() error { return nil }

// Close implements overlay.Base. The mark that the database was closed in order is its last file.
func (d *disk) Close(clean bool) (err error) {
	if clean {
		l := &load{d: d}
		l.begin()
		l.set(metaKey(kindClean, ""), nil)
		err = l.ingest(pebble.KeyRange{})
	}
	d.changed()
	if e := d.db.Close(); e != nil && err == nil {
		err = d.wrap(e)
	}
	d.rows.free()
	d.engine.open.Add(-1)
	d.engine.hold(-runs(d.batch))
	return errors.Join(err, d.lock.Close())
}

// Size implements overlay.Base.
func (d *disk) Size() int64 { return int64(d.db.Metrics().DiskSpaceUsage()) }

// fail keeps the first failure of a compaction.
func (d *disk) fail(what string, err error) {
	d.once.Do(func() {
		d.failure = d.wrap(fmt.Errorf("%s: %w", what, err))
		close(d.broken)
	})
}

func (d *disk) listener(log logger) *pebble.EventListener {
	wake := func() {
		select {
		case d.event <- struct{}{}:
		default:
		}
	}
	return &pebble.EventListener{
		BackgroundError: func(err error) { log.Errorf("background error: %v", err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			log.Errorf("%v", info)
			d.fail("read "+info.Path, info.Details)
		},
		CompactionEnd: func(info pebble.CompactionInfo) {
			if info.Err != nil && !errors.Is(info.Err, pebble.ErrCancelledCompaction) {
				d.fail("compaction", info.Err)
			}
			wake()
		},
	}
}
