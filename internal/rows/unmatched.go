package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// Unmatched is one task's buffer of a left or outer join of two streams: the records that no record of the other side has
// met, in the order of time, until one does or their window closes.
//
//	row   time side KEY = time, list of (side value)
//
// Key and list are written as Kafka Streams does: the side is 1 for left and 0 for right, the list is a 1, the number of
// values, and each value after its length. Records of equal time, side and key share a row.
type Unmatched[K, L, R any] struct {
	part[K, L]
	right     serde.Serde[R]
	rightCopy bool
}

const (
	leftSide  = 1
	rightSide = 0
	// listed is how Kafka Streams' list serde begins where values may have any length.
	listed   = 1
	listHead = 1 + 4 // and the number of values
)

// OpenUnmatched returns the task's buffer for the step at n; the store's value serde is that of the left side.
func OpenUnmatched[K, L, R any](env graph.Env, n *graph.Node, d *decl.Store, right serde.Serde[R]) *Unmatched[K, L, R] {
	return &Unmatched[K, L, R]{
		part:      open[K, L](env, n, d),
		right:     topics.Bind(right, graph.Changelog(env.ApplicationID(), d), serde.Value),
		rightCopy: copiesOf[K, R]().value,
	}
}

// at returns the key of a row.
func (s *Unmatched[K, L, R]) at(time int64, side byte, k K) []byte {
	b := append(binary.BigEndian.AppendUint64(s.buf[:s.prefix], uint64(time)), side)
	s.buf = s.appendKey(b, k)
	return s.buf
}

// AddLeft adds a record of the left side.
func (s *Unmatched[K, L, R]) AddLeft(time int64, k K, v L) { add(s, time, leftSide, k, s.value, v) }

// AddRight adds a record of the right side.
func (s *Unmatched[K, L, R]) AddRight(time int64, k K, v R) { add(s, time, rightSide, k, s.right, v) }

func add[K, L, R, V any](s *Unmatched[K, L, R], time int64, side byte, k K, values serde.Serde[V], v V) {
	key := s.at(time, side, k)
	row := layout.AppendTime(s.val[:0], time)
	if old, ok := s.get(key); ok {
		row = append(row, s.list(old)...)
	} else {
		row = append(row, listed, 0, 0, 0, 0)
	}
	count := row[layout.TimeLen+1:]
	binary.BigEndian.PutUint32(count, binary.BigEndian.Uint32(count)+1)
	at := len(row)
	row = append(row, 0, 0, 0, 0, side)
	row, err := values.Append(row, v)
	if err != nil {
		s.fail("a value cannot be encoded", err)
	}
	binary.BigEndian.PutUint32(row[at:], uint32(len(row)-at-4))
	s.val = row
	s.set(key, row)
}

// list returns what is behind the time in a row.
func (s *Unmatched[K, L, R]) list(row []byte) []byte {
	if len(row) < layout.TimeLen+listHead || row[layout.TimeLen] != listed {
		s.fail("a row cannot be decoded", fmt.Errorf("%x is no time and list of values: another version or application wrote it", row))
	}
	return row[layout.TimeLen:]
}

// Match removes the records of one side with a key and a time, if there are any: one of the other side has met them.
func (s *Unmatched[K, L, R]) Match(time int64, left bool, k K) {
	key := s.at(time, sideOf(left), k)
	if _, ok := s.get(key); ok {
		s.remove(key)
	}
}

func sideOf(left bool) byte {
	if left {
		return leftSide
	}
	return rightSide
}

// Earliest returns the smallest time in the buffer, Latest the largest.
func (s *Unmatched[K, L, R]) Earliest() (time int64, ok bool) { return s.end(false) }

// Latest returns the largest time in the buffer.
func (s *Unmatched[K, L, R]) Latest() (time int64, ok bool) { return s.end(true) }

func (s *Unmatched[K, L, R]) end(reverse bool) (time int64, ok bool) {
	prefix := s.buf[:s.prefix]
	s.scan(prefix, after(prefix), reverse, func(it store.Iter) bool {
		time, ok = s.timeOf(it.Key()), true
		return false
	})
	return time, ok
}

func (s *Unmatched[K, L, R]) timeOf(key []byte) int64 {
	if len(key) < s.prefix+9 {
		s.fail("a row cannot be decoded", fmt.Errorf("its key has %d bytes, want at least %d: another version or application wrote it", len(key), s.prefix+9))
	}
	return int64(binary.BigEndian.Uint64(key[s.prefix:]))
}

// A Waiting is a row of the buffer.
type Waiting[K, L, R any] struct {
	Time int64
	Left bool
	s    *Unmatched[K, L, R]
	row  store.Iter
}

// Walk calls f with the rows from a time on, in order, until it returns false. f may remove the row it is given.
func (s *Unmatched[K, L, R]) Walk(from int64, f func(w Waiting[K, L, R]) bool) {
	prefix := bytes.Clone(s.buf[:s.prefix])
	s.scan(binary.BigEndian.AppendUint64(bytes.Clone(prefix), uint64(from)), after(prefix), false, func(it store.Iter) bool {
		key := it.Key()
		return f(Waiting[K, L, R]{Time: s.timeOf(key), Left: key[s.prefix+8] == leftSide, s: s, row: it})
	})
}

// Len returns the number of records in the row.
func (w Waiting[K, L, R]) Len() int {
	return int(binary.BigEndian.Uint32(w.s.list(w.row.Value())[1:]))
}

// Remove removes the row.
func (w Waiting[K, L, R]) Remove() { w.s.remove(w.row.Key()) }

// Each calls one of two functions with each record of the row, in the order they came.
func (w Waiting[K, L, R]) Each(left func(k K, v L), right func(k K, v R)) {
	s := w.s
	k := s.decodeKey(w.row.Key()[s.prefix+9:])
	b := s.list(w.row.Value())[listHead:]
	for range w.Len() {
		if len(b) < 4 || int(binary.BigEndian.Uint32(b)) > len(b)-4 || binary.BigEndian.Uint32(b) == 0 {
			s.fail("a row cannot be decoded", errors.New("its list of values ends early: another version or application wrote it"))
		}
		n := int(binary.BigEndian.Uint32(b)) + 4
		value := b[5:n:n]
		b = b[n:]
		if w.Left {
			left(k, decodeAs(s, s.value, s.copies.value, value))
		} else {
			right(k, decodeAs(s, s.right, s.rightCopy, value))
		}
	}
}

func decodeAs[K, L, R, V any](s *Unmatched[K, L, R], values serde.Serde[V], copied bool, b []byte) V {
	if copied {
		b = s.env.Arena().Copy(b)
	}
	v, err := values.Decode(b)
	if err != nil {
		s.fail("a value cannot be decoded", err)
	}
	return v
}
