package rows

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// KeyValue is one task's rows of a key-value store, for one step of the topology. It is a store.KeyValue, and has beside
// that what operators need: times, and the rows that the open transaction wrote.
type KeyValue[K, V any] struct {
	part[K, V]
	forget *forgetful[K, V] // nil: it keeps all rows
}

var _ store.KeyValue[string, int64] = (*KeyValue[string, int64])(nil)

// Open returns the task's rows of a store for the step at n. The store's serdes must be of K and V.
func Open[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *KeyValue[K, V] {
	if d.Kind == decl.Versioned {
		record.Fail(int32(n.ID), fmt.Errorf("store %q (%s) is versioned: declare it with store.NewVersioned, or take ktable.VersionedStore of the table", d.Name, d.At))
	}
	s := &KeyValue[K, V]{part: open[K, V](env, n, d)}
	if tag := layout.KeyTag(d); tag != nil {
		s.buf = append(s.buf, tag...)
		s.prefix += len(tag)
		s.forget = &forgetful[K, V]{part: &s.part, ttl: d.TTL.Milliseconds(), most: int64(d.LRU)}
	}
	return s
}

// at returns the key of a row, valid until the next call.
func (s *KeyValue[K, V]) at(k K) []byte {
	s.buf = s.appendKey(s.buf[:s.prefix], k)
	return s.buf
}

// Find returns the row of a key and the time it holds from, milliseconds.
func (s *KeyValue[K, V]) Find(k K) (v V, time int64, ok bool) {
	b, ok := s.get(s.at(k))
	if !ok || s.forget != nil && s.forget.expired(b) {
		return v, 0, false
	}
	v, time = s.decode(b)
	if s.forget != nil {
		s.forget.used()
	}
	return v, time, true
}

// Write writes a row that holds from the given time, milliseconds. A value that its serde writes as null removes it.
func (s *KeyValue[K, V]) Write(k K, v V, time int64) {
	if s.null != nil && s.null(v) {
		s.Remove(k)
		return
	}
	row := s.encode(v, time)
	key := s.at(k)
	if s.forget != nil {
		s.forget.write(row, time)
		return
	}
	s.set(key, row)
}

// Remove removes a row. Unlike Delete it does not decode what the row was.
func (s *KeyValue[K, V]) Remove(k K) {
	key := s.at(k)
	if s.forget != nil {
		s.forget.clear()
	}
	s.remove(key)
}

// Get implements store.KeyValueReader.
func (s *KeyValue[K, V]) Get(k K) (V, bool) {
	v, _, ok := s.Find(k)
	return v, ok
}

// GetRow implements store.KeyValueReader.
func (s *KeyValue[K, V]) GetRow(k K) (store.Row[V], bool) {
	v, ms, ok := s.Find(k)
	if !ok {
		return store.Row[V]{}, false
	}
	return store.Row[V]{Value: v, Time: time.UnixMilli(ms)}, true
}

// Headers implements store.KeyValueReader.
func (s *KeyValue[K, V]) Headers(k K) []record.Header {
	if !s.headers {
		return nil
	}
	b, ok := s.get(s.at(k))
	if !ok || len(b) < layout.TimeLen || s.forget != nil && s.forget.expired(b) {
		return nil
	}
	headers, _, err := layout.Headers(b[layout.TimeLen:])
	if err != nil {
		s.fail("a row cannot be decoded", err)
	}
	return headers
}

// Put implements store.KeyValue.
func (s *KeyValue[K, V]) Put(k K, v V) { s.Write(k, v, s.env.Meta().Time) }

// PutIfAbsent implements store.KeyValue.
func (s *KeyValue[K, V]) PutIfAbsent(k K, v V) (old V, found bool) {
	if old, _, found = s.Find(k); !found {
		s.Put(k, v)
	}
	return old, found
}

// Delete implements store.KeyValue.
func (s *KeyValue[K, V]) Delete(k K) (old V, found bool) {
	old, _, found = s.Find(k)
	s.Remove(k) // also where there is none: a changelog may want to tell so
	return old, found
}
