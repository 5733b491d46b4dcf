package rows

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// A part is one task's part of a store of any kind, for one step of the topology.
type part[K, V any] struct {
	name    string
	node    int32
	env     graph.Env
	db      store.DB
	prefix  int // bytes of the store's prefix, with which buf begins
	key     serde.Serde[K]
	value   serde.Serde[V]
	null    func(V) bool // the value deletes its key; nil: none does
	copies  copies
	headers bool   // between a row's time and its value
	buf     []byte // prefix and the key used last
	val     []byte // scratch
}

// open returns the task's part of a store for the step at n. The store's serdes must be of K and V.
func open[K, V any](env graph.Env, n *graph.Node, d *decl.Store) part[K, V] {
	key, keyed := d.Key.(serde.Serde[K])
	value, valued := d.Value.(serde.Serde[V])
	if !keyed || !valued {
		record.Fail(int32(n.ID), fmt.Errorf("store %q (%s): its serdes are %T and %T, which are not of the types it is opened with", d.Name, d.At, d.Key, d.Value))
	}
	changelog := graph.Changelog(env.ApplicationID(), d)
	db := env.DB(d)
	prefix := db.Prefix(d.Name)
	s := part[K, V]{
		name: d.Name, node: int32(n.ID), env: env, db: db,
		prefix: len(prefix), buf: append([]byte(nil), prefix...),
		key:    topics.Bind(key, changelog, serde.Key),
		value:  topics.Bind(value, changelog, serde.Value),
		copies: copiesOf[K, V](), headers: d.Headers,
	}
	s.null = topics.Null(s.value)
	return s
}

// fail ends the handler.
func (s *part[K, V]) fail(what string, err error) {
	err = fmt.Errorf("store %q: %s: %w", s.name, what, err)
	if errors.Is(err, store.ErrClosed) { // nobody recovers it: the text must be what the panic shows
		panic(err)
	}
	record.Fail(s.node, err)
}

// KeyBytes returns the key of the row that was last found, written or removed, without the store's prefix. It is valid
// until the next call.
func (s *part[K, V]) KeyBytes() []byte { return s.buf[s.prefix:] }

// appendKey appends the bytes of a key to dst.
func (s *part[K, V]) appendKey(dst []byte, k K) []byte {
	b, err := s.key.Append(dst, k)
	if err != nil {
		s.fail("a key cannot be encoded", err)
	}
	return b
}

// get returns the value of the row at key.
func (s *part[K, V]) get(key []byte) ([]byte, bool) {
	b, ok, err := s.db.Get(key)
	if err != nil {
		s.fail("read", err)
	}
	return b, ok
}

func (s *part[K, V]) set(key, row []byte) {
	if err := s.db.Set(key, row); err != nil {
		s.fail("write", err)
	}
}

// insert is set for a key that has no row.
func (s *part[K, V]) insert(key, row []byte) {
	if err := s.db.Insert(key, row); err != nil {
		s.fail("write", err)
	}
}

func (s *part[K, V]) remove(key []byte) {
	if err := s.db.Delete(key); err != nil {
		s.fail("delete", err)
	}
}

// expire gives up the rows with from <= key < to.
func (s *part[K, V]) expire(from, to []byte) {
	if err := s.db.Expire(from, to); err != nil {
		s.fail("expire", err)
	}
}

// scan calls f at each row until it returns false. The walk is closed however it ends: user code may panic in it.
func (s *part[K, V]) scan(from, to []byte, reverse bool, f func(it store.Iter) bool) {
	it := s.db.Range(from, to, reverse)
	done := false
	defer func() {
		if !done {
			_ = it.Close() // a panic is on its way
		}
	}()
	for it.Next() && f(it) {
	}
	done = true
	if err := it.Close(); err != nil {
		s.fail("scan", err)
	}
}

// after returns the first key above all keys with a prefix, nil if there is none.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
