package dsl

import (
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/store"
)

// A Table is what ktable.Table has as underlying type: the output of a node, and how its rows are looked up.
type Table[K, V any] struct {
	h    Handle[K, V]
	spec store.KeyValueSpec[K, V]                      // its own store; the zero spec if it has none
	base *decl.Store                                   // the store that view reads: its own, or that of the nearest table before it
	view func(env graph.Env, n *graph.Node) View[K, V] // makes one task's look-up
}

// A View looks up a row of a table in one task, with the time it holds from.
type View[K, V any] func(k K) (v V, time int64, ok bool)

// Handle returns the output of the table's node.
func (t Table[K, V]) Handle() Handle[K, V] { return t.h }

// With returns the table with another handle on the same node.
func (t Table[K, V]) With(h Handle[K, V]) Table[K, V] { t.h = h; return t }

// Spec returns the table's own store, the zero spec if it has none.
func (t Table[K, V]) Spec() store.KeyValueSpec[K, V] { return t.spec }

// Base returns the store that look-ups read: a node that looks up must have it among its stores.
func (t Table[K, V]) Base() *decl.Store { return t.base }

// View makes the look-up of one task, for node n.
func (t Table[K, V]) View(env graph.Env, n *graph.Node) View[K, V] { return t.view(env, n) }

// Stored returns the table that h writes into a store.
func Stored[K, V any](h Handle[K, V], spec store.KeyValueSpec[K, V]) Table[K, V] {
	d := spec.Decl()
	return Table[K, V]{h, spec, d, func(env graph.Env, n *graph.Node) View[K, V] { return rows.Open[K, V](env, n, d).Find }}
}

// Derived returns a table without a store, whose rows are computed from those of another when they are looked up. through
// makes the look-up of one task from that of the other table.
func Derived[K, V, V2 any](from Table[K, V], h Handle[K, V2], through func(env graph.Env, n *graph.Node, look View[K, V]) View[K, V2]) Table[K, V2] {
	return Table[K, V2]{h: h, base: from.base, view: func(env graph.Env, n *graph.Node) View[K, V2] {
		return through(env, h.n, from.view(env, n))
	}}
}

// Declare declares the store of a table. Serdes that are missing are reported, with what to do about that of values, unless
// pending says that Build will.
func Declare[K, V any](h Handle[K, V], call, name string, opts []store.Option, pending bool, remedy string) store.KeyValueSpec[K, V] {
	key, value := h.Key(), h.Value()
	missing := key == nil || value == nil
	if missing && !pending {
		b, at := h.Builder(call), graph.Caller()
		if key == nil {
			b.Report(at, call, fmt.Errorf("no serde for key type %v: call WithKeySerde", reflect.TypeFor[K]()))
		}
		if value == nil {
			b.Report(at, call, fmt.Errorf("no serde for value type %v: %s", reflect.TypeFor[V](), remedy))
		}
	}
	spec := store.NewKeyValue(name, key, value, opts...)
	d := spec.Decl()
	d.At = graph.Caller()
	if missing {
		d.Err = nil // it was reported with the verb's own remedy
	}
	return spec
}

// CopartitionWith demands, for a join at out's node, that the topics of a stream and of a table have equal numbers of
// partitions.
func CopartitionWith[K, V, VT, R any](out Handle[K, R], s Handle[K, V], t Table[K, VT]) {
	out.b.Copartition(out.n, s.n, t.h.n)
}
