package rows

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// Duplicates is one task's rows of a window store that keeps all values of a key and start: what a side of a join of two
// streams has seen.
//
//	row   SEGMENT KEY start number = time headers value
//
// Numbers count all puts of the store, from 1, as in Kafka Streams; unlike there they go on after a restart, so that no row
// is overwritten by another. A row is seen while it started less than the retention before the store's own time, which is
// the latest start put into it; and some time later its whole segment is given up.
//
//	retention             observed
//	────┼────────────────────┼───►
//	    (        seen        ]
type Duplicates[K, V any] struct {
	part[K, V]
	n         *graph.Node
	decl      *decl.Store
	retention int64
	segment   int64
	exact     bool // rows expire one by one, not by segments

	observed *graph.Clock
	count    *graph.Clock // the last number
	looked   bool         // for rows that the clocks do not know of
	expired  int64        // segments below it are given up; -1: none, or not known any more

	to []byte // scratch: the end of a range
}

// OpenDuplicates returns the task's rows of a store of duplicates for the step at n.
func OpenDuplicates[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Duplicates[K, V] {
	s := &Duplicates[K, V]{
		part: open[K, V](env, n, d), n: n, decl: d,
		retention: d.Retention.Milliseconds(), segment: layout.Segment(d), exact: d.InMemory,
		observed: env.Clock(StoreClock(d)), count: env.Clock(d.Name + "/n"), expired: -1,
	}
	env.OnRollback(func() { s.looked, s.expired = false, -1 })
	return s
}

// look finds out what clocks would know, where there are rows without: state taken over from Kafka Streams.
func (s *Duplicates[K, V]) look() {
	s.looked = true
	if s.count.Now() >= 0 {
		return
	}
	prefix := bytes.Clone(s.buf[:s.prefix])
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		start, number := s.tail(it.Key())
		s.observed.Raise(start)
		s.count.Raise(int64(number))
		return true
	})
}

const tailLen = 8 + layout.SeqLen

// tail reads what is behind the key in a row's key.
func (s *Duplicates[K, V]) tail(key []byte) (start int64, number uint32) {
	n := len(key) - tailLen
	if n < s.prefix+8 {
		s.fail("a row cannot be decoded", fmt.Errorf("its key has %d bytes, want at least %d: another version or application wrote it", len(key), s.prefix+8+tailLen))
	}
	return int64(binary.BigEndian.Uint64(key[n:])), binary.BigEndian.Uint32(key[n+8:])
}

// at returns the key of a range's beginning.
func (s *Duplicates[K, V]) at(k K, segment int64) []byte {
	s.buf = s.appendKey(binary.BigEndian.AppendUint64(s.buf[:s.prefix], uint64(segment)), k)
	return s.buf
}

// Put adds a value, with the time and the headers its changelog record is to have. One without a value (has is false) stores
// nothing, but takes a number and is logged. What is older than the store keeps is logged too, and dropped.
func (s *Duplicates[K, V]) Put(k K, v V, has bool, start, time int64, headers []record.Header) {
	if !s.looked {
		s.look()
	}
	number := s.count.Raise(max(s.count.Now(), 0) + 1)
	segment := start / s.segment
	key := binary.BigEndian.AppendUint64(s.at(k, segment), uint64(start))
	key = binary.BigEndian.AppendUint32(key, uint32(number)&0x7fffffff)
	s.buf = key
	if !has {
		if s.exact && start <= s.observed.Raise(start)-s.retention {
			s.env.Drop(s.n, ExpiredWindow)
		}
		s.log(key, nil, headers, time)
		return
	}
	observed := s.observed.Raise(start)
	s.val = layout.AppendHeaders(layout.AppendTime(s.val[:0], time), headers)
	value := len(s.val)
	row, err := s.value.Append(s.val, v)
	if err != nil {
		s.fail("a value cannot be encoded", err)
	}
	s.val = row
	live := (observed - s.retention) / s.segment
	if segment < live || s.exact && start <= observed-s.retention {
		s.env.Drop(s.n, ExpiredWindow)
		s.log(key, row[value:], headers, time)
		return
	}
	s.insert(key, row) // its number is new
	if live > s.expired {
		s.expire(live)
	}
}

// log adds a changelog record that no row says.
func (s *Duplicates[K, V]) log(key, value []byte, headers []record.Header, time int64) {
	if s.decl.Logged() {
		a := s.env.Arena()
		s.env.Log(s.decl, a.Copy(key[s.prefix+8:]), a.Copy(value), headers, time)
	}
}

// expire gives up all segments below live. It begins at the very first: a restore may have brought some of them back.
func (s *Duplicates[K, V]) expire(live int64) {
	if s.expired = live; live <= 0 {
		return
	}
	from := s.buf[:s.prefix]
	s.to = binary.BigEndian.AppendUint64(append(s.to[:0], from...), uint64(live))
	if err := s.db.Expire(from, s.to); err != nil {
		s.fail("expire", err)
	}
}

// Fetch calls f with the values of a key that start from one time to another, both included, oldest first and those of equal
// start in the order they came, until it returns false. f must not write to the store.
func (s *Duplicates[K, V]) Fetch(k K, from, to int64, f func(start int64, v V) bool) {
	if !s.looked {
		s.look()
	}
	observed := s.observed.Now()
	from, to = max(from, observed-s.retention+1, 0), min(to, observed)
	if from > to {
		return
	}
	for segment := from / s.segment; segment <= to/s.segment; segment++ {
		low := s.at(k, segment)
		n := len(low)
		s.to = binary.BigEndian.AppendUint64(append(s.to[:0], low...), uint64(to+1))
		low = binary.BigEndian.AppendUint64(low, uint64(from))
		s.buf = low
		more := true
		s.scan(low, s.to, false, func(it store.Iter) bool {
			key := it.Key()
			if len(key) != n+tailLen { // of a longer key that begins with these bytes
				return true
			}
			more = f(int64(binary.BigEndian.Uint64(key[n:])), s.read(it.Value()))
			return more
		})
		if !more {
			return
		}
	}
}

// read reads the value of a row.
func (s *Duplicates[K, V]) read(b []byte) V {
	if len(b) < layout.TimeLen {
		s.fail("a row cannot be decoded", fmt.Errorf("it has %d bytes and begins with a time of %d: another version or application wrote it", len(b), layout.TimeLen))
	}
	b, err := layout.SkipHeaders(b[layout.TimeLen:])
	if err != nil {
		s.fail("a row cannot be decoded", err)
	}
	if s.copies.value {
		b = s.env.Arena().Copy(b)
	}
	v, err := s.value.Decode(b)
	if err != nil {
		s.fail("a value cannot be decoded", err)
	}
	return v
}

// Time returns the store's own time, milliseconds, -1 before the first put.
func (s *Duplicates[K, V]) Time() int64 {
	if !s.looked {
		s.look()
	}
	return s.observed.Now()
}
