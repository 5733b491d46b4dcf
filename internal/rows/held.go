package rows

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/store"
)

// Held is one task's buffer of records of a stream that wait, in the order of time, key and arrival. They are rows like any
// others, so the buffer may be larger than memory.
type Held[K, V any] struct {
	part[K, V]

	// The last number given; above that of all that wait. It goes on after a restart, so that it is never given twice.
	count *graph.Clock
	first int64 // <= the time of any that waits; it is found out anew after a rollback
	known bool  // first is

	low, new []byte // scratch
}

// OpenHeld returns the task's buffer for the step at n.
func OpenHeld[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Held[K, V] {
	s := &Held[K, V]{part: open[K, V](env, n, d), count: env.Clock(d.Name + "/n")}
	env.OnRollback(func() { s.known = false })
	return s
}

// A HeldRecord is a record that waited.
type HeldRecord[K, V any] struct {
	Key         K
	Value       V
	wire.Origin // its time, headers and place
}

// Put has a record wait. Its value must not be one that its serde writes as null.
func (s *Held[K, V]) Put(k K, v V, from *wire.Origin) {
	s.learn()
	sequence := s.count.Raise(max(s.count.Now(), 0) + 1)
	s.first = min(s.first, from.Time)
	s.buf = layout.AppendHeld(s.buf[:s.prefix], from.Time, func(dst []byte) []byte { return s.appendKey(dst, k) }, uint32(sequence)&0x7fffffff) // Kafka Streams counts so
	b, err := s.value.Append(s.new[:0], v)
	if err != nil {
		s.fail("a value cannot be encoded", err)
	}
	if b == nil {
		b = []byte{}
	}
	s.new = b
	s.val = wire.AppendBuffered(s.val[:0], &wire.Buffered{Origin: *from, New: b})
	s.set(s.buf, s.val)
}

// Drain takes the records out whose time is not after the given one, in order, and gives each to f.
func (s *Held[K, V]) Drain(until int64, f func(r *HeldRecord[K, V])) {
	s.learn()
	if s.first > until {
		return
	}
	prefix := append([]byte(nil), s.buf[:s.prefix]...)
	s.first = never
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		s.low = append(s.low[:0], it.Key()...) // f may read the buffer
		at, key, _, ok := layout.SplitHeld(s.low[s.prefix:])
		if !ok || at > until {
			s.first = at
			return false
		}
		b, _, err := wire.DecodeBuffered(it.Value())
		if err != nil {
			s.fail("a row cannot be decoded", err)
		}
		r := HeldRecord[K, V]{Key: s.decodeKey(key), Origin: b.Origin}
		r.Headers = copied(r.Headers)
		value := b.New
		if s.copies.value {
			value = s.env.Arena().Copy(value)
		}
		if r.Value, err = s.value.Decode(value); err != nil {
			s.fail("a value cannot be decoded", err)
		}
		f(&r)
		s.remove(s.low)
		return true
	})
}

// learn finds out what the rows say: when the first is due, and where offsets do not tell (state taken over from Kafka Streams),
// which numbers were given.
func (s *Held[K, V]) learn() {
	if s.known {
		return
	}
	s.known, s.first = true, never
	numbered := s.count.Now() >= 0
	prefix := append([]byte(nil), s.buf[:s.prefix]...)
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		at, _, sequence, _ := layout.SplitHeld(it.Key()[s.prefix:])
		s.first = min(s.first, at)
		s.count.Raise(int64(sequence))
		return !numbered // the first row is the earliest
	})
}
