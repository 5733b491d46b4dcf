package dsl

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/store"
)

// A Table is what ktable.Table has as underlying type: the output of a node, and how its rows are looked up.
type Table[K, V any] struct {
	h      Handle[K, V]
	spec   store.KeyValueSpec[K, V]                      // its own store; the zero spec if it has none
	bases  []*decl.Store                                 // the stores that view reads: its own, or those of the nearest tables before it
	view   func(env graph.Env, n *graph.Node) View[K, V] // makes one task's look-up; nil: its rows are kept nowhere
	asOf   func(env graph.Env, n *graph.Node) AsOf[K, V] // makes one task's look-up of what a row was; nil: the table has no history
	old    bool                                          // its changes can say what the row was before
	joined bool                                          // its changes say what the row was before by themselves: a store that keeps them need not know
}

// A View looks up a row of a table in one task, with the time it holds from.
type View[K, V any] func(k K) (v V, time int64, ok bool)

// An AsOf looks up what a row of a versioned table was at a time, milliseconds.
type AsOf[K, V any] func(k K, at int64) (v V, time int64, ok bool)

// Handle returns the output of the table's node.
func (t Table[K, V]) Handle() Handle[K, V] { return t.h }

// With returns the table with another handle on the same node.
func (t Table[K, V]) With(h Handle[K, V]) Table[K, V] { t.h = h; return t }

// Spec returns the table's own store, the zero spec if it has none.
func (t Table[K, V]) Spec() store.KeyValueSpec[K, V] { return t.spec }

// Base returns the store that look-ups read, if it is one; nil else.
func (t Table[K, V]) Base() *decl.Store {
	if len(t.bases) != 1 {
		return nil
	}
	return t.bases[0]
}

// Bases returns the stores that look-ups read: a node that looks up must have them among its stores. On behalf of the
// named call it reports a table whose rows are kept nowhere.
func (t Table[K, V]) Bases(call string) []*decl.Store {
	if t.view == nil && t.h.b != nil {
		t.h.b.Report(graph.Caller(), call, errors.New("the rows of the table are kept nowhere to be looked up: call Materialize on it"))
	}
	return t.bases
}

// View makes the look-up of one task, for node n. A value that the table's serde writes as null is no row.
func (t Table[K, V]) View(env graph.Env, n *graph.Node) View[K, V] {
	look, null := t.view(env, n), topics.Null(t.h.Value())
	if null == nil {
		return look
	}
	return func(k K) (v V, time int64, ok bool) {
		if v, time, ok = look(k); ok && null(v) {
			var none V
			return none, 0, false
		}
		return v, time, ok
	}
}

// Versioned reports whether the table's rows have a history: it is kept in a versioned store, or computed row by row from
// one that is (KIP-914).
func (t Table[K, V]) Versioned() bool { return t.asOf != nil }

// History returns how far the history of a versioned table reaches.
func (t Table[K, V]) History() time.Duration { return t.bases[0].History }

// AsOf makes the look-up of one task of what rows were, for node n: of a versioned table.
func (t Table[K, V]) AsOf(env graph.Env, n *graph.Node) AsOf[K, V] {
	look, null := t.asOf(env, n), topics.Null(t.h.Value())
	if null == nil {
		return look
	}
	return func(k K, at int64) (v V, time int64, ok bool) {
		if v, time, ok = look(k, at); ok && null(v) {
			var none V
			return none, 0, false
		}
		return v, time, ok
	}
}

// KnowsOld reports whether the table's changes can say what a row was before.
func (t Table[K, V]) KnowsOld() bool { return t.old }

// NeedOld reports, for a verb that must know what a row was before, that the table's changes do not say.
func (t Table[K, V]) NeedOld(call string) {
	if !t.old && t.h.b != nil {
		t.h.b.Report(graph.Caller(), call, errors.New("the changes of the table do not say what a row was before: call Materialize on it"))
	}
}

// Joined reports whether the table is the result of a join, whose changes say what a row was before although no store of
// its own knows.
func (t Table[K, V]) Joined() bool { return t.joined }

// Stored returns the table that h writes into a store.
func Stored[K, V any](h Handle[K, V], spec store.KeyValueSpec[K, V]) Table[K, V] {
	d := spec.Decl()
	if d.Kind == decl.Versioned {
		return Table[K, V]{
			h: h, spec: spec, bases: []*decl.Store{d}, old: true,
			view: func(env graph.Env, n *graph.Node) View[K, V] { return rows.OpenVersioned[K, V](env, n, d).Find },
			asOf: func(env graph.Env, n *graph.Node) AsOf[K, V] { return rows.OpenVersioned[K, V](env, n, d).FindAsOf },
		}
	}
	return Table[K, V]{
		h: h, spec: spec, bases: []*decl.Store{d}, old: true,
		view: func(env graph.Env, n *graph.Node) View[K, V] { return rows.Open[K, V](env, n, d).Find },
	}
}

// Derived returns a table without a store, whose rows are computed from those of another when they are looked up. through
// makes the look-up of one task from that of the other table.
func Derived[K, V, V2 any](from Table[K, V], h Handle[K, V2], through func(env graph.Env, n *graph.Node, look View[K, V]) View[K, V2]) Table[K, V2] {
	t := Table[K, V2]{h: h, bases: from.bases, old: from.old}
	if from.view != nil {
		t.view = func(env graph.Env, n *graph.Node) View[K, V2] { return through(env, h.n, from.View(env, n)) }
	}
	if from.asOf != nil {
		t.asOf = func(env graph.Env, n *graph.Node) AsOf[K, V2] {
			var then int64
			was := from.AsOf(env, n)
			look := through(env, h.n, func(k K) (V, int64, bool) { return was(k, then) })
			return func(k K, at int64) (V2, int64, bool) {
				then = at
				return look(k)
			}
		}
	}
	return t
}

// Met returns the table that h joins of two others, without a store: its rows are computed from theirs when they are
// looked up.
func Met[K, V, V2, R any](left Table[K, V], right Table[K, V2], h Handle[K, R], through func(env graph.Env, l View[K, V], r View[K, V2]) View[K, R]) Table[K, R] {
	t := Table[K, R]{h: h, bases: slices.Clone(left.bases), old: left.old && right.old, joined: true}
	for _, d := range right.bases {
		if !slices.Contains(t.bases, d) {
			t.bases = append(t.bases, d)
		}
	}
	if left.view != nil && right.view != nil {
		t.view = func(env graph.Env, n *graph.Node) View[K, R] {
			return through(env, left.View(env, n), right.View(env, n))
		}
	}
	return t
}

// Passing returns a table without a store that only hands on changes: its rows cannot be looked up, and what a row was
// before is not known, until it is materialized.
func Passing[K, V any](h Handle[K, V]) Table[K, V] { return Table[K, V]{h: h} }

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
