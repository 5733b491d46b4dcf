package ktable

import (
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// A fold is what Count, Reduce and Aggregate differ in.
type fold[K, V, A any] struct {
	verb, kind string
	serde      serde.Serde[A]
	remedy     string // where there is no serde
	nilFunc    bool
	add        func(k K, v V, a A, had bool) A // a is the zero A unless the key had a row
}

// fold adds the step that reads the row of a record's key, folds the value into it, writes it and forwards the change.
func (g Grouped[K, V]) fold[A any](f fold[K, V, A], name string, opts []store.Option) Table[K, A] {
	c, h, s := call(f.verb, name), g.g().Handle(), topics.Choose(f.serde)
	spec := dsl.Declare(dsl.Retyped(h, s), c, name, opts, g.g().Pending(), f.remedy)
	d := spec.Decl()
	step := dsl.Step{Call: c, Kind: f.kind, Name: name, NilFunc: f.nilFunc, Stores: []*decl.Store{d}}
	out := h.Fold(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) record.Fn[K, V] {
		id, keeper := int32(n.ID), dsl.NewKeeper(env, n, d, next)
		nullKey, nullValue, nullResult := topics.Null(h.Key()), topics.Null(h.Value()), topics.Null(s)
		reread := keeper.NeedsOld() && mutable(reflect.TypeFor[A]())
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			if m.NoKey || nullKey != nil && nullKey(k) {
				env.Drop(n, dsl.NullKey)
				return
			}
			if m.NoValue || nullValue != nil && nullValue(v) {
				env.Drop(n, dsl.NullValue)
				return
			}
			old, time, had := keeper.Get(k)
			a := f.add(k, v, old, had)
			if had && reread { // add may have changed the old value in place
				old, _, _ = keeper.Get(k)
			}
			has := nullResult == nil || !nullResult(a)
			keeper.Update(m, k, record.Change[A]{Old: old, New: a, HasOld: had, HasNew: has}, max(m.Time, time))
		}
	})
	dsl.CopartitionSources(out)
	return Table[K, A](dsl.Stored(out.WithValue(s), spec))
}

// mutable reports whether a value of t can be changed through a copy of it.
func mutable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Array:
		return mutable(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if mutable(f.Type) {
				return true
			}
		}
	}
	return false
}
