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

// GroupBy groups the rows under the keys and values that f returns, through the repartition topic
// <application id>-<name>-repartition. f is called for the old and the new value of a changed row, and must return the
// same for the same: what was added to a group is subtracted by calling it again. With a serde that has nulls
// (serde.Nullable), a row whose new key or value is null belongs to no group.
//
// A row that changes its group is two records on the topic, the old one first, which may be processed at different times
// where the groups are in different partitions.
func (t Table[K, V]) GroupBy[K2, V2 any](name string, f func(K, V) (K2, V2)) Regrouped[K2, V2] {
	c := call("GroupBy", name)
	t.t().NeedOld(c)
	return Regrouped[K2, V2](dsl.RegroupTable(t.h(), c, name, f))
}

// Regrouped is a table under new keys, waiting to be folded: a changed row is subtracted from its old group and added to
// its new one. GroupBy makes it. It may be folded several times, through one topic.
type Regrouped[K, V any] dsl.Regrouped[K, V]

func (g Regrouped[K, V]) g() dsl.Regrouped[K, V] { return dsl.Regrouped[K, V](g) }

// WithSerdes sets both serdes: those of the repartition topic, and of the stores of the folds.
func (g Regrouped[K, V]) WithSerdes(key serde.Serde[K], value serde.Serde[V]) Regrouped[K, V] {
	return Regrouped[K, V](g.g().WithKey(key).WithValue(value))
}

// WithKeySerde sets the serde of keys.
func (g Regrouped[K, V]) WithKeySerde(k serde.Serde[K]) Regrouped[K, V] {
	return Regrouped[K, V](g.g().WithKey(k))
}

// Count counts the rows of each group in the named store. A group that lost its last row has the count 0.
func (g Regrouped[K, V]) Count(name string, opts ...store.Option) Table[K, int64] {
	return g.fold(refold[K, V, int64]{
		verb: "Count", kind: "count", serde: serde.Int64,
		add: func(_ K, _ V, n int64, _ bool) int64 { return n + 1 },
		sub: func(_ K, _ V, n int64) int64 { return n - 1 },
	}, name, opts)
}

// Reduce folds the rows of each group in the named store; the first row stands for itself. sub undoes add: it is called
// with the group's value and the row that left. With a serde that has nulls (serde.Nullable), either deletes the group by
// returning one.
func (g Regrouped[K, V]) Reduce(name string, add, sub func(acc, v V) V, opts ...store.Option) Table[K, V] {
	return g.fold(refold[K, V, V]{
		verb: "Reduce", kind: "reduce", serde: g.g().Handle().Value(), nilFunc: add == nil || sub == nil, remedy: "call WithSerdes",
		add: func(_ K, v, acc V, had bool) V {
			if !had {
				return v
			}
			return add(acc, v)
		},
		sub: func(_ K, v, acc V) V { return sub(acc, v) },
	}, name, opts)
}

// Aggregate folds the rows of each group into an A in the named store. sub undoes add. init makes the A that the first row
// of a group is added to; a nil init means the zero value. A nil s means the built-in serde of A. With a serde that has
// nulls (serde.Nullable), add and sub delete the group by returning one. Both may change and return the A they were given.
func (g Regrouped[K, V]) Aggregate[A any](name string, s serde.Serde[A], init func() A, add, sub func(K, V, A) A, opts ...store.Option) Table[K, A] {
	return g.fold(refold[K, V, A]{
		verb: "Aggregate", kind: "aggregate", serde: s, nilFunc: add == nil || sub == nil, remedy: "pass one",
		add: func(k K, v V, a A, had bool) A {
			if !had && init != nil {
				a = init()
			}
			return add(k, v, a)
		},
		sub: sub,
	}, name, opts)
}

// A refold is what the folds of a regrouped table differ in.
type refold[K, V, A any] struct {
	verb, kind string
	serde      serde.Serde[A]
	remedy     string // where there is no serde
	nilFunc    bool
	add        func(k K, v V, a A, had bool) A // a is the zero A unless the group has a row
	sub        func(k K, v V, a A) A
}

// fold adds the step that takes the old value of a change out of a group's row, then its new value in, writes the row once
// and forwards the change once.
func (g Regrouped[K, V]) fold[A any](f refold[K, V, A], name string, opts []store.Option) Table[K, A] {
	c, h, s := call(f.verb, name), g.g().Handle(), topics.Choose(f.serde)
	spec := dsl.Declare(dsl.Retyped(h, s), c, name, opts, g.g().Pending(), f.remedy)
	d := spec.Decl()
	step := dsl.Step{Call: c, Kind: f.kind, Name: name, NilFunc: f.nilFunc, Stores: []*decl.Store{d}}
	out := h.Change(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) record.ChangeFn[K, V] {
		id, keeper, null := int32(n.ID), dsl.NewKeeper(env, n, d, next), topics.Null(s)
		reread := keeper.NeedsOld() && mutable(reflect.TypeFor[A]())
		return func(m *record.Meta, k K, ch record.Change[V]) {
			m.Node = id
			old, time, had := keeper.Get(k)
			a, has := old, had
			if ch.HasOld && has {
				a = f.sub(k, ch.Old, a)
				has = null == nil || !null(a)
			}
			if ch.HasNew {
				if !has {
					var none A
					a = none
				}
				a = f.add(k, ch.New, a, has)
				has = null == nil || !null(a)
			}
			if had && reread { // add or sub may have changed the old value in place
				old, _, _ = keeper.Get(k)
			}
			at := m.Time
			if had {
				at = max(at, time)
			}
			keeper.Update(m, k, record.Change[A]{Old: old, New: a, HasOld: had, HasNew: has}, at)
		}
	})
	dsl.CopartitionSources(out)
	return Table[K, A](dsl.Stored(out.WithValue(s), spec))
}
