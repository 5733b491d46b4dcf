package overlay

import (
	"bytes"

	"github.com/millrace-streams/millrace/store"
)

// iter merges the rows that the base may lack with those of the base. Where both have a key the table is right.
//
// Writes may happen while it is open: places in an order are found again by key when the order has changed, and the
// base's iterator is opened anew when a batch has landed, since rows that were the table's may be the base's now.
type iter struct {
	db       *DB
	from, to []byte // nil is open
	reverse  bool
	base     store.Iter
	has      bool // base stands at a row not yet taken
	parts    []*part
	pos      int    // of the next row in the order of parts[0]; forwards it is ids[pos], backwards ids[pos-1]
	version  uint64 // of that order
	moves    uint64 // of the database
	begun    bool
	at       []byte // key of the last row taken, from either side
	key      []byte
	value    []byte
	buf      []byte // of values taken from the table, which later writes change in place
	err      error
	closed   bool
}

// Range implements store.DB.
func (db *DB) Range(from, to []byte, reverse bool) store.Iter {
	it := &iter{db: db, from: bytes.Clone(from), to: bytes.Clone(to), reverse: reverse}
	if it.err = db.usable(); it.err != nil {
		return it
	}
	if it.err = db.look(); it.err != nil {
		return it
	}
	db.iters[it] = struct{}{}
	it.open()
	return it
}

// open places it at the beginning, or behind the last row taken.
func (it *iter) open() {
	db := it.db
	from, to := it.from, it.to
	if it.begun && it.reverse {
		to = it.at
	} else if it.begun {
		from = append(bytes.Clone(it.at), 0)
	}
	it.parts = it.parts[:0]
	for _, p := range db.parts {
		if (to == nil || bytes.Compare(p.Prefix[:], to) < 0) && (from == nil || bytes.Compare(p.Prefix[:], from[:min(PrefixLen, len(from))]) >= 0) {
			p.sort(db.t)
			it.parts = append(it.parts, p)
		}
	}
	if it.reverse {
		for i, j := 0, len(it.parts)-1; i < j; i, j = i+1, j-1 {
			it.parts[i], it.parts[j] = it.parts[j], it.parts[i]
		}
	}
	it.place(from, to)
	it.moves = db.moves
	it.base = db.base.Iter(from, to, it.reverse)
	it.has = it.base.Next()
}

// place finds the next row in the order of parts[0], given the bounds of what is still to come.
func (it *iter) place(from, to []byte) {
	if len(it.parts) == 0 {
		return
	}
	o := &it.parts[0].order
	it.version = o.version
	switch {
	case !it.reverse && from == nil:
		it.pos = 0
	case !it.reverse:
		it.pos = o.seek(it.db.t, from, false)
	case to == nil:
		it.pos = len(o.ids)
	default:
		it.pos = o.seek(it.db.t, to, false)
	}
}

// peek returns the next row of the table, nil if there is none.
func (it *iter) peek() *entry {
	t := it.db.t
	for len(it.parts) > 0 {
		o := &it.parts[0].order
		if o.version != it.version {
			switch {
			case !it.begun:
				it.place(it.from, it.to)
			case it.reverse:
				it.version, it.pos = o.version, o.seek(t, it.at, false)
			default:
				it.version, it.pos = o.version, o.seek(t, it.at, true)
			}
		}
		if !it.reverse && it.pos < len(o.ids) {
			if e := t.at(o.ids[it.pos]); it.to == nil || bytes.Compare(t.key(e), it.to) < 0 {
				return e
			}
		}
		if it.reverse && it.pos > 0 {
			if e := t.at(o.ids[it.pos-1]); it.from == nil || bytes.Compare(t.key(e), it.from) >= 0 {
				return e
			}
		}
		it.parts = it.parts[1:]
		it.place(it.from, it.to)
	}
	return nil
}

// Next implements store.Iter.
func (it *iter) Next() bool {
	if it.closed || it.err != nil {
		return false
	}
	if it.err = it.db.usable(); it.err != nil {
		return false
	}
	if it.moves != it.db.moves {
		if it.err = it.base.Close(); it.err != nil {
			return false
		}
		it.open()
	}
	for {
		e := it.peek()
		if e == nil && !it.has {
			return false
		}
		c := -1 // the table's row comes first
		if e == nil {
			c = 1
		} else if it.has {
			c = bytes.Compare(it.db.t.key(e), it.base.Key())
			if it.reverse {
				c = -c
			}
		}
		it.begun = true
		if c > 0 {
			it.at = append(it.at[:0], it.base.Key()...)
			it.value = append(it.value[:0], it.base.Value()...)
			it.key = it.at
			it.has = it.base.Next()
			return true
		}
		it.at = append(it.at[:0], it.db.t.key(e)...)
		if it.reverse {
			it.pos--
		} else {
			it.pos++
		}
		if c == 0 {
			it.has = it.base.Next()
		}
		if e.live() {
			it.value = append(it.value[:0], it.db.t.value(e)...)
			it.key = it.at
			return true
		}
	}
}

// Key implements store.Iter.
func (it *iter) Key() []byte { return it.key }

// Value implements store.Iter.
func (it *iter) Value() []byte { return it.value }

// Close implements store.Iter.
func (it *iter) Close() error {
	if it.closed {
		return it.err
	}
	it.closed = true
	if it.base != nil {
		if err := it.base.Close(); err != nil && it.err == nil {
			it.err = it.db.fail(err)
		}
		delete(it.db.iters, it)
	}
	return it.err
}
