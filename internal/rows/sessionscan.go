package rows

import (
	"math"

	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// Overlapping calls f for the sessions of a key that end at earliestEnd or later and start at latestStart or earlier, in
// order of their end and then of their start, until f returns false.
func (s *Session[K, V]) Overlapping(k K, earliestEnd, latestStart int64, f func(start, end int64, v V, time int64) bool) {
	s.look()
	from, to := max(earliestEnd, s.seen(), 0), s.newest()
	segment := s.keys.Segment()
	for more := true; more && from <= to; {
		last := from/segment*segment + segment - 1
		s.low = s.appendKey(s.keys.Head(append(s.low[:0], s.buf[:s.prefix]...), from), k)
		s.high = s.keys.Tail(append(s.high[:0], s.low...), 0, last+1)
		s.low = s.keys.Tail(s.low, 0, from)
		n := len(s.low) // keys of other lengths may lie between
		s.scan(s.low, s.high, false, func(it store.Iter) bool {
			if len(it.Key()) != n {
				return true
			}
			_, start, end := s.split(it.Key())
			if start > latestStart {
				return true
			}
			v, time := s.decode(it.Value())
			more = f(start, end, v, time)
			return more
		})
		from = last + 1
	}
}

// FetchKey calls f for all sessions of a key, ordered as Overlapping does.
func (s *Session[K, V]) FetchKey(k K, f func(start, end int64, v V, time int64) bool) {
	s.Overlapping(k, 0, math.MaxInt64, f)
}

// FetchAll calls f for the sessions of all keys that end from one time to another, both included, ordered by end, start
// and the bytes of the key, until f returns false.
func (s *Session[K, V]) FetchAll(from, to int64, f func(k K, start, end int64, v V, time int64) bool) {
	s.look()
	s.all(max(from, s.seen()), to, f)
}

// Kept is FetchAll for sessions that were not given up yet, be they expired or not; those that KeepFrom names are among them.
func (s *Session[K, V]) Kept(from, to int64, f func(k K, start, end int64, v V, time int64) bool) {
	s.look()
	s.all(from, to, f)
}

func (s *Session[K, V]) all(from, to int64, f func(k K, start, end int64, v V, time int64) bool) {
	from, to = max(from, 0), min(to, s.newest())
	if from > to {
		return
	}
	row := func(key, value []byte) bool {
		b, start, end := s.split(key)
		v, time := s.decode(value)
		return f(s.decodeKey(b), start, end, v, time)
	}
	if s.keys.Indexed() {
		s.allIndexed(from, to, row)
	} else {
		s.allSorted(from, to, row)
	}
}

// allIndexed walks over rows in the order of the index.
func (s *Session[K, V]) allIndexed(from, to int64, f func(key, value []byte) bool) {
	s.low = s.keys.IndexHead(append(s.low[:0], s.buf[:s.prefix]...), 0, from)
	s.high = s.keys.IndexHead(append(s.high[:0], s.buf[:s.prefix]...), 0, to+1)
	s.scan(s.low, s.high, false, func(it store.Iter) bool {
		k, start, end := s.split(it.Key())
		s.buf = s.keys.Tail(append(s.keys.Head(s.buf[:s.prefix], end), k...), start, end)
		value, ok := s.get(s.buf)
		return !ok || f(s.buf, value)
	})
}

// allSorted sorts the rows of one segment after the other.
func (s *Session[K, V]) allSorted(from, to int64, f func(key, value []byte) bool) {
	segment := s.keys.Segment()
	for more := true; more && from <= to; {
		var rows timed
		s.low = s.keys.Head(append(s.low[:0], s.buf[:s.prefix]...), from)
		s.high = s.keys.Head(append(s.high[:0], s.buf[:s.prefix]...), to+segment)
		s.scan(s.low, s.high, false, func(it store.Iter) bool {
			k, start, end := s.split(it.Key())
			if len(rows) > 0 && end/segment != rows[0].at/segment {
				return false
			}
			if from <= end && end <= to {
				rows.add(it, end, start, s.prefix+layout.NumberLen, len(k))
			}
			return true
		})
		if len(rows) == 0 {
			return
		}
		from = (rows[0].at/segment + 1) * segment
		more = rows.inOrder(f)
	}
}
