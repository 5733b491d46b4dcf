package rows

import (
	"fmt"
	"math"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// Window is one task's rows of a window store, for one step of the topology: a value per key and start of a window. Times
// are milliseconds. Windows that started the store's retention before its stream time, or earlier, have expired: they are
// not found.
type Window[K, V any] struct {
	part[K, V]
	expiry
	decl    *decl.Store
	n       *graph.Node
	keys    layout.WindowKeys
	format  layout.Format
	size    time.Duration
	advance int64  // windows start at its multiples; 0: anywhere
	low     []byte // scratch: bounds of a walk, which copies them
	high    []byte
	side    []byte // scratch: keys of index rows
}

// OpenWindow returns the task's rows of a window store for the step at n. The store's serdes must be of K and V.
func OpenWindow[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Window[K, V] {
	s := &Window[K, V]{
		part: open[K, V](env, n, d), decl: d, n: n,
		keys: layout.NewWindowKeys(d), format: layout.Of(d), size: d.Size, advance: d.Advance.Milliseconds(),
	}
	s.expiry.open(env, d)
	return s
}

// at returns the key of a row, valid until the next call.
func (s *Window[K, V]) at(k K, start int64) []byte {
	if start < 0 {
		s.fail("write", fmt.Errorf("a window starts before 1970, at %d ms", start))
	}
	s.buf = s.keys.Tail(s.appendKey(s.keys.Head(s.buf[:s.prefix], start), k), start)
	return s.buf
}

// Find returns the value of a key in the window that starts at the given time, and the time it holds from.
func (s *Window[K, V]) Find(k K, start int64) (v V, time int64, ok bool) {
	s.look()
	if start < max(s.seen(), 0) {
		return v, 0, false
	}
	b, ok := s.get(s.at(k, start))
	if !ok {
		return v, 0, false
	}
	v, time = s.decode(b)
	return v, time, true
}

// Write writes the value of a key in a window, which holds from the given time. A value that its serde writes as null
// removes the row. A window that expired too long ago is refused and counted, under ExpiredWindow: ok is false.
func (s *Window[K, V]) Write(k K, start int64, v V, time int64) (ok bool) {
	if s.null != nil && s.null(v) {
		return s.Remove(k, start)
	}
	s.look()
	row, key := s.encode(v, time), s.at(k, start)
	if !s.arrive(start) {
		s.refuse(key, row, true, time)
		return false
	}
	if s.keys.Indexed() {
		s.list(key, k, start)
	}
	s.set(key, row)
	s.giveUp()
	return true
}

// Remove removes the value of a key in a window. It counts as a write.
func (s *Window[K, V]) Remove(k K, start int64) (ok bool) {
	s.look()
	key := s.at(k, start)
	if !s.arrive(start) {
		s.refuse(key, nil, false, s.env.Meta().Time)
		return false
	}
	s.remove(key)
	if s.keys.Indexed() {
		s.remove(s.indexed(k, start))
	}
	s.giveUp()
	return true
}

// list writes the index row of a row that is about to be written, unless it is there already.
func (s *Window[K, V]) list(key []byte, k K, start int64) {
	if _, there := s.get(key); !there {
		s.set(s.indexed(k, start), layout.Indexed[:])
	}
}

// indexed returns the key of an index row, valid until the next call.
func (s *Window[K, V]) indexed(k K, start int64) []byte {
	s.side = s.appendKey(s.keys.IndexHead(append(s.side[:0], s.buf[:s.prefix]...), start), k)
	return s.side
}

// refuse counts a write that comes too late. It is logged as if it had been made.
func (s *Window[K, V]) refuse(key, row []byte, has bool, at int64) {
	s.env.Drop(s.n, ExpiredWindow)
	if e, ok := s.format.Record(s.env.Arena(), key[s.prefix:], row, has, at); ok {
		s.env.Log(s.decl, e.Key, e.Value, e.Headers, e.Time)
	}
}

// giveUp tells the database which rows have expired, once it is worth it.
func (s *Window[K, V]) giveUp() {
	to := s.due()
	if to == 0 {
		return
	}
	s.low = append(s.low[:0], s.buf[:s.prefix]...)
	s.expire(s.low, s.keys.Head(append(s.high[:0], s.low...), to))
	if s.keys.Indexed() {
		s.low = append(s.low, layout.Index)
		s.expire(s.low, s.keys.IndexHead(append(s.high[:0], s.buf[:s.prefix]...), to))
	}
}

// look finds out, once, how late the rows are that were there before. What the offsets know nothing of, since another
// application or a transaction that was no transaction left it, counts as observed.
func (s *Window[K, V]) look() {
	if s.rest != unknown {
		return
	}
	prefix := s.buf[:s.prefix:s.prefix]
	end := append(prefix, layout.Index)
	s.rest = -1
	s.scan(prefix, end, true, func(it store.Iter) bool { _, s.rest = s.split(it.Key()); return false })
	segment := s.keys.Segment()
	switch {
	case s.rest <= s.clock.Now() && segment > 0:
		s.rest = s.rest/segment*segment + segment - 1 // the latest is somewhere in the last segment
	case s.rest > s.clock.Now():
		if segment > 0 {
			s.scan(s.keys.Head(prefix, s.rest), end, false, func(it store.Iter) bool {
				_, start := s.split(it.Key())
				s.rest = max(s.rest, start)
				return true
			})
		}
		s.found = s.clock.Raise(s.rest)
	}
}

// split takes the key of a row, with the store's prefix, apart.
func (s *Window[K, V]) split(key []byte) (k []byte, start int64) {
	k, start, err := s.keys.Split(key[s.prefix:])
	if err != nil {
		s.fail("a row cannot be decoded", err)
	}
	return k, start
}

// Span returns the window that starts at the given time.
func (s *Window[K, V]) Span(start int64) window.Span { return span(start, s.size) }

// span returns a window; the longest size is that of one without end.
func span(start int64, size time.Duration) window.Span {
	end := int64(math.MaxInt64)
	if ms := size.Milliseconds(); size < math.MaxInt64 && start <= end-ms {
		end = start + ms
	}
	return between(start, end)
}

// Dirty calls f for each row that the open transaction wrote, as KeyValue.Dirty does.
func (s *Window[K, V]) Dirty(old bool, f func(Dirty[window.Key[K], V])) {
	s.db.Dirty(s.buf[:s.prefix:s.prefix], func(row store.Dirty) bool {
		if !row.Had && !row.Has || layout.IsIndex(row.Key[s.prefix:]) {
			return true
		}
		b, start := s.split(row.Key)
		f(change(&s.part, window.Key[K]{Key: s.decodeKey(b), Span: s.Span(start)}, &row, old))
		return true
	})
}
