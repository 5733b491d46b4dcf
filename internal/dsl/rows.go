package dsl

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// rows are one task's rows of a table: the time a row holds from, 8 bytes big endian, and the value.
type rows[K, V any] struct {
	name   string
	env    graph.Env
	db     store.DB
	prefix int // bytes of the store's prefix in buf
	key    serde.Serde[K]
	value  serde.Serde[V]
	alias  bool   // decoded values may keep the bytes they were read from
	buf    []byte // prefix and the key of the call before
	val    []byte
}

// open returns one task's rows of a store.
func open[K, V any](env graph.Env, d *decl.Store) *rows[K, V] {
	log := graph.Changelog(env.ApplicationID(), d)
	db := env.DB(d)
	prefix := db.Prefix(d.Name)
	return &rows[K, V]{
		name: d.Name, env: env, db: db, prefix: len(prefix), buf: append([]byte(nil), prefix...),
		key:   topics.Bind(d.Key.(serde.Serde[K]), log, serde.Key),
		value: topics.Bind(d.Value.(serde.Serde[V]), log, serde.Value),
		alias: aliases(reflect.TypeFor[V]()),
	}
}

// aliases reports whether serde.Bytes, whose values keep what they are read from, may be what reads a t.
func aliases(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func (r *rows[K, V]) at(k K) []byte {
	b, err := r.key.Append(r.buf[:r.prefix], k)
	if err != nil {
		r.fail("key cannot be encoded", err)
	}
	r.buf = b
	return b
}

func (r *rows[K, V]) fail(what string, err error) {
	record.Fail(r.env.Meta().Node, fmt.Errorf("store %q: %s: %w", r.name, what, err))
}

func (r *rows[K, V]) get(k K) (v V, time int64, ok bool) {
	b, ok, err := r.db.Get(r.at(k))
	if err != nil {
		r.fail("read", err)
	}
	if !ok {
		return v, 0, false
	}
	v, time = r.row(b)
	return v, time, true
}

func (r *rows[K, V]) row(b []byte) (v V, time int64) {
	if len(b) < 8 {
		r.fail("a row cannot be decoded", fmt.Errorf("%d bytes, want at least 8", len(b)))
	}
	if r.alias { // the row's bytes change with the next write
		b = r.env.Arena().Copy(b)
	}
	v, err := r.value.Decode(b[8:])
	if err != nil {
		r.fail("a row cannot be decoded", err)
	}
	return v, int64(binary.BigEndian.Uint64(b))
}

func (r *rows[K, V]) put(k K, v V, time int64) {
	b, err := r.value.Append(binary.BigEndian.AppendUint64(r.val[:0], uint64(time)), v)
	if err != nil {
		r.fail("value cannot be encoded", err)
	}
	r.val = b
	if err := r.db.Set(r.at(k), b); err != nil {
		r.fail("write", err)
	}
}

func (r *rows[K, V]) delete(k K) {
	if err := r.db.Delete(r.at(k)); err != nil {
		r.fail("delete", err)
	}
}

// bytes returns the key of the put or delete before.
func (r *rows[K, V]) bytes() []byte { return r.buf[r.prefix:] }
