package kstest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// Store returns a processor's store, over all partitions, for preparing and checking state. It shows what the processors see,
// with ManualCommit also what is not committed yet. A row put here has the clock's time, goes to the partition of its key,
// and is committed like one written by a processor.
func (d *Driver) Store[K, V any](s store.KeyValueSpec[K, V]) store.KeyValue[K, V] {
	d.t.Helper()
	have := s.Decl()
	if have == nil {
		d.fail(fmt.Errorf("the store is the zero spec: make it with store.NewKeyValue"))
	}
	for _, sub := range d.plan.Subs {
		if slices.Contains(sub.Stores, have) {
			log := graph.Changelog(d.options.application, have)
			return &keyValue[K, V]{
				d: d, sub: sub, decl: have,
				key:   topics.Bind(have.Key.(serde.Serde[K]), log, serde.Key),
				value: topics.Bind(have.Value.(serde.Serde[V]), log, serde.Value),
			}
		}
	}
	d.fail(fmt.Errorf("the topology has no store %q, declared at %s", have.Name, have.At))
	return nil
}

// keyValue is the rows of one store, in all tasks.
type keyValue[K, V any] struct {
	d     *Driver
	sub   *graph.Sub
	decl  *decl.Store
	key   serde.Serde[K]
	value serde.Serde[V]
}

// timeBytes is the length of the event time before the value of a row.
const timeBytes = 8

// workers returns the tasks that have a part of the store. A crash makes them anew, so they are not kept.
func (r *keyValue[K, V]) workers() []*worker {
	var ws []*worker
	for _, w := range r.d.workers {
		if w.sub == r.sub {
			ws = append(ws, w)
		}
	}
	return ws
}

func (r *keyValue[K, V]) fail(what string, err error) {
	r.d.t.Helper()
	r.d.fail(fmt.Errorf("store %q: %s: %w", r.decl.Name, what, err))
}

func (r *keyValue[K, V]) bytes(k K) []byte {
	r.d.t.Helper()
	b, err := r.key.Append([]byte{}, k)
	if err != nil {
		r.fail("the key cannot be encoded", err)
	}
	return b
}

// at returns the key of a row in a database.
func (r *keyValue[K, V]) at(w *worker, key []byte) []byte {
	return slices.Concat(w.db.Prefix(r.decl.Name), layout.KeyTag(r.decl), key)
}

func (r *keyValue[K, V]) row(b []byte) store.Row[V] {
	r.d.t.Helper()
	if len(b) < timeBytes {
		r.fail("a row cannot be decoded", fmt.Errorf("it has %d bytes, want its time and its value", len(b)))
	}
	row := store.Row[V]{Time: time.UnixMilli(int64(binary.BigEndian.Uint64(b)))}
	_, b = r.headers(slices.Clone(b[timeBytes:]))
	var err error
	if row.Value, err = r.value.Decode(b); err != nil {
		r.fail("a row cannot be decoded", err)
	}
	return row
}

// headers splits the headers off what follows a row's time.
func (r *keyValue[K, V]) headers(b []byte) (headers []record.Header, value []byte) {
	r.d.t.Helper()
	if !r.decl.Headers {
		return nil, b
	}
	headers, value, err := layout.Headers(b)
	if err != nil {
		r.fail("a row cannot be decoded", err)
	}
	return headers, value
}

// Headers implements store.KeyValueReader.
func (r *keyValue[K, V]) Headers(k K) []record.Header {
	r.d.t.Helper()
	key := r.bytes(k)
	for _, w := range r.workers() {
		if b, ok, err := w.db.Get(r.at(w, key)); err == nil && ok && len(b) >= timeBytes {
			headers, _ := r.headers(b[timeBytes:])
			return headers
		}
	}
	return nil
}

// GetRow implements store.KeyValueReader.
func (r *keyValue[K, V]) GetRow(k K) (row store.Row[V], ok bool) {
	r.d.t.Helper()
	key := r.bytes(k)
	for _, w := range r.workers() {
		b, ok, err := w.db.Get(r.at(w, key))
		if err != nil {
			r.fail("read", err)
		}
		if ok {
			return r.row(b), true
		}
	}
	return row, false
}

// Get implements store.KeyValueReader.
func (r *keyValue[K, V]) Get(k K) (V, bool) {
	r.d.t.Helper()
	row, ok := r.GetRow(k)
	return row.Value, ok
}

// walk returns the rows of all tasks whose keys are in a range, in the order of the keys' bytes.
func (r *keyValue[K, V]) walk(in func(key []byte) bool, reverse bool) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		r.d.t.Helper()
		var found []store.KV
		for _, w := range r.workers() {
			prefix := r.at(w, nil)
			it := w.db.Range(prefix, nil, false)
			for it.Next() && bytes.HasPrefix(it.Key(), prefix) {
				if key := it.Key()[len(prefix):]; in(key) {
					found = append(found, store.KV{Key: slices.Clone(key), Value: slices.Clone(it.Value())})
				}
			}
			if err := it.Close(); err != nil {
				r.fail("read", err)
			}
		}
		slices.SortStableFunc(found, func(a, b store.KV) int { return bytes.Compare(a.Key, b.Key) })
		if reverse {
			slices.Reverse(found)
		}
		for _, kv := range found {
			k, err := r.key.Decode(kv.Key)
			if err != nil {
				r.fail("a key cannot be decoded", err)
			}
			if !yield(k, r.row(kv.Value).Value) {
				return
			}
		}
	}
}

func everything([]byte) bool { return true }

// between reports keys from one to another, both included.
func (r *keyValue[K, V]) between(from, to K) func(key []byte) bool {
	r.d.t.Helper()
	a, b := r.bytes(from), r.bytes(to)
	return func(key []byte) bool { return bytes.Compare(a, key) <= 0 && bytes.Compare(key, b) <= 0 }
}

// All implements store.KeyValueReader.
func (r *keyValue[K, V]) All() iter.Seq2[K, V] { return r.walk(everything, false) }

// Range implements store.KeyValueReader.
func (r *keyValue[K, V]) Range(from, to K) iter.Seq2[K, V] { return r.walk(r.between(from, to), false) }

// Reverse implements store.KeyValueReader.
func (r *keyValue[K, V]) Reverse(from, to K) iter.Seq2[K, V] {
	return r.walk(r.between(from, to), true)
}

// Prefix implements store.KeyValueReader.
func (r *keyValue[K, V]) Prefix(prefix []byte) iter.Seq2[K, V] {
	return r.walk(func(key []byte) bool { return bytes.HasPrefix(key, prefix) }, false)
}

// Len implements store.KeyValueReader.
func (r *keyValue[K, V]) Len() (n int) {
	r.d.t.Helper()
	for range r.All() {
		n++
	}
	return n
}

// change writes a row of a key, or deletes it (nil), in the task of the key's partition.
func (r *keyValue[K, V]) change(k K, row []byte) {
	r.d.t.Helper()
	r.d.usable()
	key := r.bytes(k)
	ws := r.workers()
	if len(ws) == 0 {
		r.fail("write", fmt.Errorf("no task has the store: its source topics are read by a pattern, and none exists yet"))
	}
	w := ws[partition.Of(key, int32(len(ws)))]
	if err := r.write(w, key, row); err != nil {
		r.fail("write", err)
	}
	if r.d.punctuate(w) {
		r.d.settle()
	}
}

// write writes what a restore would write.
func (r *keyValue[K, V]) write(w *worker, key, row []byte) error {
	prefix := w.db.Prefix(r.decl.Name)
	format, rows := layout.Of(r.decl), layout.NewWriter(prefix)
	entry := layout.Entry{Key: key}
	if row != nil {
		entry.Time, entry.Value = layout.Time(row)
	}
	stateful, _ := format.(layout.Stateful)
	if stateful != nil {
		if err := stateful.Resume(layout.Under(prefix, w.db)); err != nil {
			return err
		}
	}
	format.Rows(rows, &entry)
	rows.Next()
	if stateful != nil {
		stateful.Rest(rows)
	}
	for _, kv := range rows.Rows() {
		var err error
		if kv.Value == nil {
			err = w.db.Delete(kv.Key)
		} else {
			err = w.db.Set(kv.Key, kv.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// PutIfAbsent implements store.KeyValue.
func (r *keyValue[K, V]) PutIfAbsent(k K, v V) (old V, found bool) {
	r.d.t.Helper()
	if old, found = r.Get(k); !found {
		r.Put(k, v)
	}
	return old, found
}

// Delete implements store.KeyValue.
func (r *keyValue[K, V]) Delete(k K) (old V, found bool) {
	r.d.t.Helper()
	if old, found = r.Get(k); found {
		r.change(k, nil)
	}
	return old, found
}
