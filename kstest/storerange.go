package kstest

import (
	"bytes"
	"encoding/binary"
	"iter"
	"time"

	"github.com/millrace-streams/millrace/internal/topics"
)

// From implements store.KeyValueReader.
func (r *keyValue[K, V]) From(from K) iter.Seq2[K, V] {
	r.d.t.Helper()
	a := r.bytes(from)
	return r.walk(func(key []byte) bool { return bytes.Compare(a, key) <= 0 }, false)
}

// UpTo implements store.KeyValueReader.
func (r *keyValue[K, V]) UpTo(to K) iter.Seq2[K, V] {
	r.d.t.Helper()
	b := r.bytes(to)
	return r.walk(func(key []byte) bool { return bytes.Compare(key, b) <= 0 }, false)
}

// Put implements store.KeyValue.
func (r *keyValue[K, V]) Put(k K, v V) {
	r.d.t.Helper()
	r.PutAt(k, v, r.d.now)
}

// PutAt implements store.KeyValue.
func (r *keyValue[K, V]) PutAt(k K, v V, at time.Time) {
	r.d.t.Helper()
	if null := topics.Null(r.value); null != nil && null(v) {
		r.change(k, nil)
		return
	}
	row, err := r.value.Append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), v)
	if err != nil {
		r.fail("the value cannot be encoded", err)
	}
	r.change(k, row)
}
