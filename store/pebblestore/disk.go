package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// maxSublevels is how many files of the top level may cover one key before writes wait for compactions.
const maxSublevels = 24

// emptyFlush is the text of the error that Pebble reports for a flush that went well and had nothing to write; it does
// not export it.
const emptyFlush = "pebble: empty table"

// disk is the overlay's base: one Pebble database.
type disk struct {
	dir      string
	engine   *Engine
	fs       vfs.FS
	lock     *pebble.Lock
	db       *pebble.DB
	batch    int           // bytes applied at once
	memtable int           // bytes
	rows     sorter        // of the batch being applied
	unasked  int           // bytes applied since Pebble was last asked how full it is
	event    chan struct{} // capacity 1: a flush or compaction ended
	broken   chan struct{} // closed when the first flush or compaction failed
	once     sync.Once
	failure  error // set before broken is closed
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

// Apply implements overlay.Base.
func (d *disk) Apply(rows overlay.Rows, checkpoints []store.Checkpoint, gone []overlay.Span) error {
	if err := d.room(len(rows)); err != nil {
		return err
	}
	refs := d.rows.sort(rows)
	b := d.db.NewBatchWithSize(len(rows) + 8*len(refs) + 128*len(checkpoints) + 64)
	defer b.Close()
	for _, r := range refs {
		key, value, has, _ := rows[r.off:].Next()
		op := (*pebble.DeferredBatchOp)(nil)
		if has {
			op = b.SetDeferred(len(key), len(value))
			copy(op.Value, value)
		} else {
			op = b.DeleteDeferred(len(key))
		}
		copy(op.Key, key)
		if err := op.Finish(); err != nil {
			return d.wrap(err)
		}
	}
	for _, s := range gone {
		if err := b.DeleteRange(s.From, s.To, nil); err != nil {
			return d.wrap(err)
		}
	}
	for _, cp := range checkpoints {
		if err := b.Set(metaKey(kindCheckpoint, cp.Changelog), checkpointValue(cp), nil); err != nil {
			return d.wrap(err)
		}
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return d.wrap(err)
	}
	return nil
}

// room waits until Pebble has room for n more bytes, or failed. Asking it is not cheap, so that is done after each half
// of a batch.
func (d *disk) room(n int) error {
	d.unasked += n
	for d.unasked > d.batch/2 {
		m := d.db.Metrics()
		if m.MemTable.Size <= uint64(2*(d.batch+d.memtable)+d.unasked) && m.Levels[0].Sublevels < maxSublevels {
			d.unasked = 0
			break
		}
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
	b := d.db.NewBatch()
	defer b.Close()
	if err := b.DeleteRange(prefix, after(prefix), nil); err != nil {
		return d.wrap(err)
	}
	if err := b.Delete(metaKey(kindCheckpoint, changelog), nil); err != nil {
		return d.wrap(err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return d.wrap(err)
	}
	return nil
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

// Flush implements overlay.Base. Pebble's own Flush would wait for ever while flushing fails.
func (d *disk) Flush() error {
	flushed, err := d.db.AsyncFlush()
	if err != nil {
		return d.wrap(err)
	}
	select {
	case <-flushed:
		return nil
	case <-d.broken:
		return d.failure
	}
}

// Close implements overlay.Base. The mark that the database was closed in order is in the last batch, so that it is on
// disk only with everything before it.
func (d *disk) Close(clean bool) (err error) {
	if clean {
		if err = d.db.Set(metaKey(kindClean, ""), nil, pebble.NoSync); err == nil {
			err = d.Flush()
		}
	}
	if e := d.db.Close(); e != nil && err == nil {
		err = d.wrap(e)
	}
	d.engine.open.Add(-1)
	return errors.Join(err, d.lock.Close())
}

// Size implements overlay.Base.
func (d *disk) Size() int64 { return int64(d.db.Metrics().DiskSpaceUsage()) }

// fail keeps the first failure of a flush or compaction.
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
		FlushEnd: func(info pebble.FlushInfo) {
			if info.Err != nil && info.Err.Error() != emptyFlush {
				d.fail("flush", info.Err)
			}
			wake()
		},
		CompactionEnd: func(info pebble.CompactionInfo) {
			if info.Err != nil && !errors.Is(info.Err, pebble.ErrCancelledCompaction) {
				d.fail("compaction", info.Err)
			}
			wake()
		},
	}
}
