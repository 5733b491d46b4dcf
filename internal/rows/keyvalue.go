package rows

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// KeyValue is one task's rows of a key-value store, for one step of the topology. It is a store.KeyValue, and has beside
// that what operators need: times, and the rows that the open transaction wrote.
type KeyValue[K, V any] struct {
	name   string
	node   int32
	env    graph.Env
	db     store.DB
	prefix int // bytes of the store's prefix, with which buf begins
	key    serde.Serde[K]
	value  serde.Serde[V]
	null   func(V) bool // the value deletes its key; nil: none does
	copies copies
	buf    []byte // prefix and the key used last
	val    []byte // scratch
}

var _ store.KeyValue[string, int64] = (*KeyValue[string, int64])(nil)

// Open returns the task's rows of a store for the step at n. The store's serdes must be of K and V.
func Open[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *KeyValue[K, V] {
	key, keyed := d.Key.(serde.Serde[K])
	value, valued := d.Value.(serde.Serde[V])
	if !keyed || !valued {
		record.Fail(int32(n.ID), fmt.Errorf("store %q (%s): its serdes are %T and %T, which are not of the types it is opened with", d.Name, d.At, d.Key, d.Value))
	}
	changelog := graph.Changelog(env.ApplicationID(), d)
	db := env.DB(d)
	prefix := db.Prefix(d.Name)
	s := &KeyValue[K, V]{
		name: d.Name, node: int32(n.ID), env: env, db: db,
		prefix: len(prefix), buf: append([]byte(nil), prefix...),
		key:    topics.Bind(key, changelog, serde.Key),
		value:  topics.Bind(value, changelog, serde.Value),
		copies: copiesOf[K, V](),
	}
	s.null = topics.Null(s.value)
	return s
}

// fail ends the handler.
func (s *KeyValue[K, V]) fail(what string, err error) {
	err = fmt.Errorf("store %q: %s: %w", s.name, what, err)
	if errors.Is(err, store.ErrClosed) { // nobody recovers it: the text must be what the panic shows
		panic(err)
	}
	record.Fail(s.node, err)
}

// Find returns the row of a key and the time it holds from, milliseconds.
func (s *KeyValue[K, V]) Find(k K) (v V, time int64, ok bool) {
	b, ok, err := s.db.Get(s.at(k))
	if err != nil {
		s.fail("read", err)
	}
	if !ok {
		return v, 0, false
	}
	v, time = s.decode(b)
	return v, time, true
}

// Write writes a row that holds from the given time, milliseconds. A value that its serde writes as null removes it.
func (s *KeyValue[K, V]) Write(k K, v V, time int64) {
	if s.null != nil && s.null(v) {
		s.Remove(k)
		return
	}
	row := s.encode(v, time)
	if err := s.db.Set(s.at(k), row); err != nil {
		s.fail("write", err)
	}
}

// Remove removes a row. Unlike Delete it does not decode what the row was.
func (s *KeyValue[K, V]) Remove(k K) {
	if err := s.db.Delete(s.at(k)); err != nil {
		s.fail("delete", err)
	}
}

// KeyBytes returns the bytes of the key that was last given to Find, Write or Remove, valid until the next call.
func (s *KeyValue[K, V]) KeyBytes() []byte { return s.buf[s.prefix:] }

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
	if old, _, found = s.Find(k); found {
		s.Remove(k)
	}
	return old, found
}
