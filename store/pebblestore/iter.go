package pebblestore

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"github.com/millrace-streams/millrace/store"
)

// iter is a walk over rows.
type iter struct {
	d       *disk
	it      *pebble.Iterator // nil after an error
	reverse bool
	begun   bool
	err     error
}

// Iter implements overlay.Base.
func (d *disk) Iter(from, to []byte, reverse bool) store.Iter {
	if bytes.Compare(from, metaTo) < 0 {
		from = metaTo
	}
	return d.iter(from, to, reverse)
}

// Read implements overlay.Base: one walk that skips from key to key, so that blocks are looked for once.
func (d *disk) Read(keys [][]byte, f func(key, value []byte, ok bool) error) error {
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: keys[0], UpperBound: after(keys[len(keys)-1])})
	if err != nil {
		return d.wrap(err)
	}
	defer it.Close()
	for _, key := range keys {
		var value []byte
		ok := it.SeekPrefixGE(key) && bytes.Equal(it.Key(), key)
		if ok {
			value = it.Value()
		} else if err := it.Error(); err != nil {
			return d.wrap(err)
		}
		if err := f(key, value, ok); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) iter(from, to []byte, reverse bool) *iter {
	it := &iter{d: d, reverse: reverse}
	it.it, it.err = d.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	return it
}

// Next implements store.Iter.
func (it *iter) Next() bool {
	if it.it == nil {
		return false
	}
	first := !it.begun
	it.begun = true
	switch {
	case first && it.reverse:
		return it.it.Last()
	case first:
		return it.it.First()
	case it.reverse:
		return it.it.Prev()
	default:
		return it.it.Next()
	}
}

// Key implements store.Iter.
func (it *iter) Key() []byte { return it.it.Key() }

// Value implements store.Iter.
func (it *iter) Value() []byte { return it.it.Value() }

// Close implements store.Iter.
func (it *iter) Close() error {
	if it.it != nil {
		if err := it.it.Close(); err != nil && it.err == nil {
			it.err = err
		}
		it.it = nil
	}
	if it.err != nil {
		return it.d.wrap(it.err)
	}
	return nil
}
