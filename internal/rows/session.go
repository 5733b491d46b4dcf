package rows

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// Session is one task's rows of a session store, for one step of the topology: a value per key and session. Times are
// milliseconds, both ends of a session are included. Sessions that ended the store's retention before its stream time, or
// earlier, have expired: they are not found.
type Session[K, V any] struct {
	part[K, V]
	expiry
	decl   *decl.Store
	n      *graph.Node
	keys   layout.SessionKeys
	format layout.Format
	low    []byte // scratch: bounds of a walk, which copies them
	high   []byte
	side   []byte // scratch: keys of index rows
}

// OpenSession returns the task's rows of a session store for the step at n. The store's serdes must be of K and V.
func OpenSession[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Session[K, V] {
	s := &Session[K, V]{
		part: open[K, V](env, n, d), decl: d, n: n,
		keys: layout.NewSessionKeys(d), format: layout.Of(d),
	}
	s.expiry.open(env, d)
	return s
}

// at returns the key of a row, valid until the next call.
func (s *Session[K, V]) at(k K, start, end int64) []byte {
	if start < 0 || end < start {
		s.fail("write", fmt.Errorf("a session from %d to %d ms: want 0 <= start <= end", start, end))
	}
	s.buf = s.keys.Tail(s.appendKey(s.keys.Head(s.buf[:s.prefix], end), k), start, end)
	return s.buf
}

// Find returns the value of exactly this session of a key, and the time it holds from.
func (s *Session[K, V]) Find(k K, start, end int64) (v V, time int64, ok bool) {
	s.look()
	if end < s.seen() || start < 0 || end < start {
		return v, 0, false
	}
	b, ok := s.get(s.at(k, start, end))
	if !ok {
		return v, 0, false
	}
	v, time = s.decode(b)
	return v, time, true
}

// Write writes the value of a session, which holds from the given time. A value that its serde writes as null removes the
// row. A session that expired too long ago is refused and counted, under ExpiredWindow: ok is false.
func (s *Session[K, V]) Write(k K, start, end int64, v V, time int64) (ok bool) {
	null := s.null != nil && s.null(v)
	s.look()
	key := s.at(k, start, end)
	var row []byte
	if !null {
		row = s.encode(v, time)
	}
	if !s.arrive(end) {
		s.refuse(key, row, !null, time)
		return false
	}
	if null {
		s.drop(key, k, start, end)
		return true
	}
	if s.keys.Indexed() {
		if _, there := s.get(key); !there {
			s.set(s.indexed(k, start, end), layout.Indexed[:])
		}
	}
	s.set(key, row)
	s.giveUp()
	return true
}

// Remove removes a session. It counts as a write.
func (s *Session[K, V]) Remove(k K, start, end int64) (ok bool) {
	s.look()
	key := s.at(k, start, end)
	if !s.arrive(end) {
		s.refuse(key, nil, false, s.env.Meta().Time)
		return false
	}
	if s.expired(end) {
		s.bury(key, k, start, end)
	} else {
		s.drop(key, k, start, end)
	}
	return true
}

// A burier is a database that removes expired rows without a word to those who follow the table.
type burier interface {
	Bury(key []byte) error
	Buried(key []byte) bool // in the open transaction
}

// bury removes a session that has expired and was found only because it lingers. As in Kafka Streams, whose store behind
// the cache hides it, those who follow the table are not told: Dirty leaves it out.
func (s *Session[K, V]) bury(key []byte, k K, start, end int64) {
	db, ok := s.db.(burier)
	if !ok {
		s.drop(key, k, start, end)
		return
	}
	if err := db.Bury(key); err != nil {
		s.fail("delete", err)
	}
	if s.keys.Indexed() {
		s.remove(s.indexed(k, start, end))
	}
}

func (s *Session[K, V]) drop(key []byte, k K, start, end int64) {
	s.remove(key)
	if s.keys.Indexed() {
		s.remove(s.indexed(k, start, end))
	}
	s.giveUp()
}

// indexed returns the key of an index row, valid until the next call.
func (s *Session[K, V]) indexed(k K, start, end int64) []byte {
	s.side = s.appendKey(s.keys.IndexHead(append(s.side[:0], s.buf[:s.prefix]...), start, end), k)
	return s.side
}

// refuse counts a write that comes too late. It is logged as if it had been made.
func (s *Session[K, V]) refuse(key, row []byte, has bool, at int64) {
	s.env.Drop(s.n, ExpiredWindow)
	if e, ok := s.format.Record(s.env.Arena(), key[s.prefix:], row, has, at); ok {
		s.env.Log(s.decl, e.Key, e.Value, e.Headers, e.Time)
	}
}

// giveUp tells the database which rows have expired, once it is worth it.
func (s *Session[K, V]) giveUp() {
	to := s.due()
	if to == 0 {
		return
	}
	s.low = append(s.low[:0], s.buf[:s.prefix]...)
	s.expire(s.low, s.keys.Head(append(s.high[:0], s.low...), to))
	if s.keys.Indexed() {
		s.low = append(s.low, layout.Index)
		s.expire(s.low, s.keys.IndexHead(append(s.high[:0], s.buf[:s.prefix]...), 0, to))
	}
}

// look finds out, once, how late the rows are that were there before, as Window's does.
func (s *Session[K, V]) look() {
	if s.rest != unknown {
		return
	}
	prefix := s.buf[:s.prefix:s.prefix]
	after := append(prefix, layout.Index)
	s.rest = -1
	s.scan(prefix, after, true, func(it store.Iter) bool { _, _, s.rest = s.split(it.Key()); return false })
	if s.rest <= s.clock.Now() {
		s.rest = s.rest/s.keys.Segment()*s.keys.Segment() + s.keys.Segment() - 1 // the latest is somewhere in the last segment
		return
	}
	s.scan(s.keys.Head(prefix, s.rest), after, false, func(it store.Iter) bool {
		_, _, end := s.split(it.Key())
		s.rest = max(s.rest, end)
		return true
	})
	s.found = s.clock.Raise(s.rest)
}

// split takes the key of a row, with the store's prefix, apart.
func (s *Session[K, V]) split(key []byte) (k []byte, start, end int64) {
	k, start, end, err := s.keys.Split(key[s.prefix:])
	if err != nil {
		s.fail("a row cannot be decoded", err)
	}
	return k, start, end
}

// Dirty calls f for each row that the open transaction wrote, as KeyValue.Dirty does.
func (s *Session[K, V]) Dirty(old bool, f func(Dirty[window.Key[K], V])) {
	db, buriers := s.db.(burier)
	s.db.Dirty(s.buf[:s.prefix:s.prefix], func(row store.Dirty) bool {
		if !row.Had && !row.Has || layout.IsIndex(row.Key[s.prefix:]) {
			return true
		}
		b, start, end := s.split(row.Key)
		if buriers && !row.Has && db.Buried(row.Key) {
			return true
		}
		k := window.Key[K]{Key: s.decodeKey(b), Span: between(start, end)}
		f(change(&s.part, k, &row, old))
		return true
	})
}
