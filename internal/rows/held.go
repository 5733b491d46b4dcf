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

	// What is known of the rows. It is found out anew after a rollback.
	known    bool
	sequence uint32 // of the last record put; above that of all that wait
	first    int64  // <= the time of any of them

	low, new []byte // scratch
}

// OpenHeld returns the task's buffer for the step at n.
func OpenHeld[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Held[K, V] {
	s := &Held[K, V]{part: open[K, V](env, n, d)}
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
	s.sequence = (s.sequence + 1) & 0x7fffffff // Kafka Streams counts so
	s.first = min(s.first, from.Time)
	s.buf = layout.AppendHeld(s.buf[:s.prefix], from.Time, func(dst []byte) []byte { return s.appendKey(dst, k) }, s.sequence)
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

// learn finds out what the rows say.
func (s *Held[K, V]) learn() {
	if s.known {
		return
	}
	s.known, s.sequence, s.first = true, 0, never
	prefix := append([]byte(nil), s.buf[:s.prefix]...)
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		at, _, sequence, _ := layout.SplitHeld(it.Key()[s.prefix:])
		s.first = min(s.first, at)
		s.sequence = max(s.sequence, sequence)
		return true
	})
}
