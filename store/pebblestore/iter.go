package pebblestore

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/millrace-streams/millrace/store"
)

// iter is a walk over rows.
type iter struct {
	d       *disk
	it      *pebble.Iterator // nil after an error
	state   uint64           // of the database
	from    []byte
	to      []byte // nil is open
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

// iter returns the last walk that ended, if the database is what it was then, or a new one: making one costs as much as a
// short walk.
func (d *disk) iter(from, to []byte, reverse bool) *iter {
	if it := d.takeSpare(); it != nil {
		if it.state == d.state.Load() {
			it.bound(from, to, reverse)
			return it
		}
		_ = it.end() // of no walk any more
	}
	it := &iter{d: d, state: d.state.Load()}
	it.bound(from, to, reverse)
	it.it, it.err = d.db.NewIter(nil)
	return it
}

// bound says what is walked over. Pebble's iterator has no bounds of its own: changed ones made it miss rows (v2.1.7; storetest shows it).
func (it *iter) bound(from, to []byte, reverse bool) {
	it.from, it.reverse, it.begun = append(it.from[:0], from...), reverse, false
	if len(from) == 0 {
		it.from = nil // a walk used before has a slice of no bytes here, of which Pebble's checks under the race detector read the first
	}
	if to == nil {
		it.to = nil
	} else {
		it.to = append(it.to[:0], to...)
	}
}

func (d *disk) takeSpare() *iter {
	d.walks.Lock()
	defer d.walks.Unlock()
	it := d.spare
	d.spare = nil
	return it
}

// changed says that the database has other files. A walk kept for the next one would hold on to the old ones.
func (d *disk) changed() {
	d.state.Add(1)
	if it := d.takeSpare(); it != nil {
		_ = it.end() // what it has read was good; the next walk says what is not
	}
}

// Read implements overlay.Base: one walk that skips from key to key, so that blocks are looked for once.
func (d *disk) Read(keys [][]byte, f func(key, value []byte, ok bool) error) error {
	walk := d.iter(keys[0], nil, false)
	if walk.it == nil {
		return walk.Close()
	}
	for _, key := range keys {
		var value []byte
		ok := walk.it.SeekPrefixGE(key) && bytes.Equal(walk.it.Key(), key)
		if ok {
			value = walk.it.Value()
		} else if walk.it.Error() != nil {
			break
		}
		if err := f(key, value, ok); err != nil {
			return errors.Join(err, walk.Close())
		}
	}
	return walk.Close()
}

// Next implements store.Iter.
func (it *iter) Next() bool {
	if it.it == nil {
		return false
	}
	first := !it.begun
	it.begun = true
	var at pebble.IterValidityState
	switch {
	case first && it.reverse && it.to == nil:
		if !it.it.Last() {
			return false
		}
		return bytes.Compare(it.it.Key(), it.from) >= 0
	case first && it.reverse:
		at = it.it.SeekLTWithLimit(it.to, it.from)
	case first:
		at = it.it.SeekGEWithLimit(it.from, it.to)
	case it.reverse:
		at = it.it.PrevWithLimit(it.from)
	default:
		at = it.it.NextWithLimit(it.to)
	}
	// Limits only spare work: a row beyond may still be shown.
	return at == pebble.IterValid && (it.reverse && bytes.Compare(it.it.Key(), it.from) >= 0 ||
		!it.reverse && (it.to == nil || bytes.Compare(it.it.Key(), it.to) < 0))
}

// Key implements store.Iter.
func (it *iter) Key() []byte { return it.it.Key() }

// Value implements store.Iter.
func (it *iter) Value() []byte { return it.it.Value() }

// Close implements store.Iter.
func (it *iter) Close() error {
	if it.it == nil || it.it.Error() != nil {
		return it.end()
	}
	it.d.walks.Lock()
	keep := it.d.spare == nil && it.state == it.d.state.Load()
	if keep {
		it.d.spare = it
	}
	it.d.walks.Unlock()
	if keep {
		return nil
	}
	return it.end()
}

// end gives up what the walk holds.
func (it *iter) end() error {
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
