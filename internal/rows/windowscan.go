package rows

import (
	"bytes"

	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// fewGets is up to how many windows of a key are looked up one by one rather than found among those of all keys.
const fewGets = 1024

// Fetch calls f for the windows of a key that start from one time to another, both included, in order of their start, or
// backwards, until f returns false.
func (s *Window[K, V]) Fetch(k K, from, to int64, reverse bool, f func(start int64, v V, time int64) bool) {
	s.look()
	from, to = max(from, s.seen(), 0), min(to, s.newest())
	if from > to {
		return
	}
	if s.advance == 0 {
		s.fetchSegments(k, from, to, reverse, f)
		return
	}
	first, last := (from+s.advance-1)/s.advance, to/s.advance
	if last-first >= fewGets {
		s.fetchAmong(k, from, to, reverse, f)
		return
	}
	for i := range last - first + 1 {
		start := (first + i) * s.advance
		if reverse {
			start = (last - i) * s.advance
		}
		b, ok := s.get(s.at(k, start))
		if !ok {
			continue
		}
		if v, time := s.decode(b); !f(start, v, time) {
			return
		}
	}
}

// fetchAmong finds the windows of a key among those of all keys.
func (s *Window[K, V]) fetchAmong(k K, from, to int64, reverse bool, f func(start int64, v V, time int64) bool) {
	key := s.appendKey(nil, k)
	s.between(from, to, reverse, func(it store.Iter) bool {
		b, start := s.split(it.Key())
		if !bytes.Equal(b, key) {
			return true
		}
		v, time := s.decode(it.Value())
		return f(start, v, time)
	})
}

// between walks over the rows of all keys, where they are in the order of time.
func (s *Window[K, V]) between(from, to int64, reverse bool, f func(it store.Iter) bool) {
	s.low = s.keys.Head(append(s.low[:0], s.buf[:s.prefix]...), from)
	s.high = s.keys.Head(append(s.high[:0], s.buf[:s.prefix]...), to+1)
	s.scan(s.low, s.high, reverse, f)
}

// fetchSegments finds the windows of a key in one segment after the other.
func (s *Window[K, V]) fetchSegments(k K, from, to int64, reverse bool, f func(start int64, v V, time int64) bool) {
	segment := s.keys.Segment()
	first, last, more := from/segment, to/segment, true
	for i := first; i <= last && more; i++ {
		at := i
		if reverse {
			at = last - (i - first)
		}
		begin, end := max(from, at*segment), min(to, at*segment+segment-1)
		s.low = s.appendKey(s.keys.Head(append(s.low[:0], s.buf[:s.prefix]...), begin), k)
		s.high = s.keys.Tail(append(s.high[:0], s.low...), end+1)
		s.low = s.keys.Tail(s.low, begin)
		n := len(s.low) // keys of other lengths may lie between
		s.scan(s.low, s.high, reverse, func(it store.Iter) bool {
			if len(it.Key()) != n {
				return true
			}
			_, start := s.split(it.Key())
			v, time := s.decode(it.Value())
			more = f(start, v, time)
			return more
		})
	}
}

// FetchAll calls f for the windows of all keys that start from one time to another, both included, ordered by start and
// then by the bytes of the key, until f returns false.
func (s *Window[K, V]) FetchAll(from, to int64, f func(k K, start int64, v V, time int64) bool) {
	s.look()
	s.all(max(from, s.seen()), to, nil, nil, f)
}

// FetchRange is FetchAll for the keys from one to another, both included, in the order of their bytes.
func (s *Window[K, V]) FetchRange(fromKey, toKey K, from, to int64, f func(k K, start int64, v V, time int64) bool) {
	s.look()
	s.all(max(from, s.seen()), to, s.appendKey([]byte{}, fromKey), s.appendKey([]byte{}, toKey), f)
}

// Kept is FetchAll for windows that were not given up yet, be they expired or not; those that KeepFrom names are among them.
func (s *Window[K, V]) Kept(from, to int64, f func(k K, start int64, v V, time int64) bool) {
	s.look()
	s.all(from, to, nil, nil, f)
}

// all walks over windows in the order of time; nil bounds of keys are open.
func (s *Window[K, V]) all(from, to int64, low, high []byte, f func(k K, start int64, v V, time int64) bool) {
	from, to = max(from, 0), min(to, s.newest())
	if from > to {
		return
	}
	within := func(k []byte) bool {
		return (low == nil || bytes.Compare(low, k) <= 0) && (high == nil || bytes.Compare(k, high) <= 0)
	}
	row := func(key, value []byte) bool {
		b, start := s.split(key)
		if !within(b) {
			return true
		}
		v, time := s.decode(value)
		return f(s.decodeKey(b), start, v, time)
	}
	switch {
	case s.keys.Segment() == 0:
		s.between(from, to, false, func(it store.Iter) bool { return row(it.Key(), it.Value()) })
	case s.keys.Indexed():
		s.allIndexed(from, to, row)
	default:
		s.allSorted(from, to, row)
	}
}

// allIndexed walks over rows in the order of the index.
func (s *Window[K, V]) allIndexed(from, to int64, f func(key, value []byte) bool) {
	s.low = s.keys.IndexHead(append(s.low[:0], s.buf[:s.prefix]...), from)
	s.high = s.keys.IndexHead(append(s.high[:0], s.buf[:s.prefix]...), to+1)
	s.scan(s.low, s.high, false, func(it store.Iter) bool {
		k, start := s.split(it.Key())
		s.buf = s.keys.Tail(append(s.keys.Head(s.buf[:s.prefix], start), k...), start)
		value, ok := s.get(s.buf)
		return !ok || f(s.buf, value)
	})
}

// allSorted sorts the rows of one segment after the other.
func (s *Window[K, V]) allSorted(from, to int64, f func(key, value []byte) bool) {
	segment := s.keys.Segment()
	for more := true; more && from <= to; {
		var rows timed
		s.low = s.keys.Head(append(s.low[:0], s.buf[:s.prefix]...), from)
		s.high = s.keys.Head(append(s.high[:0], s.buf[:s.prefix]...), to+segment)
		s.scan(s.low, s.high, false, func(it store.Iter) bool {
			k, start := s.split(it.Key())
			if len(rows) > 0 && start/segment != rows[0].at/segment {
				return false
			}
			if from <= start && start <= to {
				rows.add(it, start, 0, s.prefix+layout.NumberLen, len(k))
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
