package overlay

import (
	"bytes"
	"slices"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/table"
)

// iter merges the rows that the base may lack with those of the base. Where both have a key the table is right.
//
// Writes may happen while it is open: the cursor finds its place again by key, and the base's iterator is opened anew when
// a batch has landed, since rows that were the table's may be the base's now.
type iter struct {
	db       *DB
	from, to []byte // nil is open
	reverse  bool
	base     store.Iter
	has      bool         // base stands at a row not yet taken
	all      []int        // parts walked over
	parts    []int        // those still to come, the rest of all
	cursor   table.Cursor // in parts[0]
	moves    uint64       // of the database
	begun    bool
	at       []byte // key of the last row taken, from either side
	value    []byte
	bound    []byte // scratch: where to go on from
	err      error
	closed   bool
}

// Range implements store.DB.
func (db *DB) Range(from, to []byte, reverse bool) store.Iter {
	it := db.walk()
	it.from, it.to, it.reverse = keep(it.from, from), keep(it.to, to), reverse
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

// walk returns an iterator that was closed, or a new one.
func (db *DB) walk() *iter {
	n := len(db.walks)
	if n == 0 {
		return &iter{db: db}
	}
	it := db.walks[n-1]
	db.walks = db.walks[:n-1]
	*it = iter{db: db, from: it.from, to: it.to, all: it.all, at: it.at[:0], value: it.value[:0], bound: it.bound}
	return it
}

// keep copies a bound into room that there is; nil stays nil.
func keep(room, bound []byte) []byte {
	if bound == nil {
		return nil
	}
	return append(room[:0], bound...)
}

// open places it at the beginning, or behind the last row taken.
func (it *iter) open() {
	db := it.db
	from, to := it.from, it.to
	if it.begun && it.reverse {
		it.bound = append(it.bound[:0], it.at...)
		to = it.bound
	} else if it.begun {
		it.bound = append(append(it.bound[:0], it.at...), 0)
		from = it.bound
	}
	it.all = it.all[:0]
	for i, s := range db.stores {
		if (to == nil || bytes.Compare(s.Prefix[:], to) < 0) && (from == nil || bytes.Compare(s.Prefix[:], from[:min(PrefixLen, len(from))]) >= 0) {
			it.all = append(it.all, i)
		}
	}
	if it.reverse {
		slices.Reverse(it.all)
	}
	it.parts = it.all
	it.place(from, to)
	it.moves = db.moves
	it.base = db.base.Iter(from, to, it.reverse)
	it.has = it.base.Next()
}

// place puts the cursor into parts[0], given the bounds of what is still to come.
func (it *iter) place(from, to []byte) {
	if len(it.parts) == 0 {
		return
	}
	bound := from
	if it.reverse {
		bound = to
	}
	it.cursor = it.db.t.Seek(it.parts[0], bound, it.reverse)
}

// peek returns the next row of the table, 0 if there is none.
func (it *iter) peek() table.Ref {
	t := it.db.t
	for len(it.parts) > 0 {
		r := it.cursor.Peek(it.at, it.begun)
		if r != 0 {
			key := t.Key(r)
			if !it.reverse && (it.to == nil || bytes.Compare(key, it.to) < 0) || it.reverse && (it.from == nil || bytes.Compare(key, it.from) >= 0) {
				return r
			}
		}
		it.parts = it.parts[1:]
		it.place(it.from, it.to)
	}
	return 0
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
	t := it.db.t
	for {
		r := it.peek()
		if r == 0 && !it.has {
			return false
		}
		c := -1 // the table's row comes first
		if r == 0 {
			c = 1
		} else if it.has {
			c = bytes.Compare(t.Key(r), it.base.Key())
			if it.reverse {
				c = -c
			}
		}
		it.begun = true
		if c > 0 {
			it.at = append(it.at[:0], it.base.Key()...)
			it.value = append(it.value[:0], it.base.Value()...)
			it.has = it.base.Next()
			return true
		}
		it.at = append(it.at[:0], t.Key(r)...)
		it.cursor.Step()
		if c == 0 {
			it.has = it.base.Next()
		}
		if value, live := t.Value(r); live {
			it.value = append(it.value[:0], value...)
			return true
		}
	}
}

// Key implements store.Iter.
func (it *iter) Key() []byte { return it.at }

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
		for part := range it.db.stores {
			it.db.t.Scanned(part)
		}
		if it.err == nil {
			it.base = nil
			it.db.walks = append(it.db.walks, it)
		}
	}
	return it.err
}
