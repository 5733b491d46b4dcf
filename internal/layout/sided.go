package layout

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
)

// Rows of a key-value store that forgets rows by itself, by age (TTL) or by use (LRU). Beside the rows of keys, which alone are
// logged, there are rows that say what to forget next. A row of a key counts: the others may say too much after a restore,
// and are asked twice.
//
//	'k' KEY               time(8) value           a row of the store
//	't' time(8) KEY       time(8)                 by age: the time of the row of KEY
//	'u' KEY               number(8)               by use: when KEY was used last
//	'r' number(8) KEY     number(8)               the same, in order
//	'h'                   number(8) count(8)      the last number given, and the rows there are; -1 after a restore: count
const (
	SidedKey    = 'k'
	SidedAge    = 't'
	SidedUse    = 'u'
	SidedRecent = 'r'
	SidedHead   = 'h'
)

// KeyTag returns what is between a key-value store's prefix and the bytes of a key.
func KeyTag(d *decl.Store) []byte {
	if d.TTL > 0 || d.LRU > 0 {
		return []byte{SidedKey}
	}
	return nil
}

// AppendSided appends a row's tag and number to dst: a key may follow.
func AppendSided(dst []byte, tag byte, number int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, tag), uint64(number))
}

// SplitSided takes apart what AppendSided and a key made.
func SplitSided(row []byte) (number int64, key []byte, ok bool) {
	if len(row) < 9 {
		return 0, nil, false
	}
	return int64(binary.BigEndian.Uint64(row[1:])), row[9:], true
}

// sided is logged like a plain key-value store. A restore takes the order of the changelog for that of use.
type sided struct {
	keyValue
	ttl, lru bool
	number   int64 // given last
}

func (f *sided) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	if len(key) == 0 || key[0] != SidedKey {
		return Entry{}, false
	}
	e, ok := f.keyValue.Record(a, key[1:], value, has, at)
	if e.Key == nil {
		e.Key = []byte{}
	}
	return e, ok
}

func (f *sided) Rows(w *Writer, e *Entry) {
	w.Key([]byte{SidedKey})
	f.keyValue.Rows(w, e)
	if e.Value == nil {
		if f.lru {
			w.Next()
			w.Key([]byte{SidedUse})
			w.Key(e.Key)
		}
		return
	}
	if f.ttl {
		w.Next()
		w.Key(AppendSided(nil, SidedAge, e.Time))
		w.Key(e.Key)
		w.Time(e.Time)
	}
	if f.lru {
		f.number++
		w.Next()
		w.Key([]byte{SidedUse})
		w.Key(e.Key)
		w.Time(f.number)
		w.Next()
		w.Key(AppendSided(nil, SidedRecent, f.number))
		w.Key(e.Key)
		w.Time(f.number)
	}
}

// Resume implements Stateful.
func (f *sided) Resume(rows Reader) error {
	b, ok, err := rows.Get([]byte{SidedHead})
	if err != nil || !ok {
		return err
	}
	f.number, _, err = SplitSidedHead(b)
	return err
}

// AppendSidedHead appends the value of the head to dst.
func AppendSidedHead(dst []byte, number, count int64) []byte {
	return AppendTime(AppendTime(dst, number), count)
}

// SplitSidedHead takes the value of the head apart.
func SplitSidedHead(b []byte) (number, count int64, err error) {
	if len(b) != 2*TimeLen {
		return 0, 0, fmt.Errorf("layout: the head of a store has %d bytes, want %d", len(b), 2*TimeLen)
	}
	number, b = Time(b)
	count, _ = Time(b)
	return number, count, nil
}

// Rest implements Stateful: how many rows there are is not known any more.
func (f *sided) Rest(w *Writer) {
	if f.lru {
		w.Key([]byte{SidedHead})
		w.Value(AppendSidedHead(nil, f.number, -1))
	}
}
