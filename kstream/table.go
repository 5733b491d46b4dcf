package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
)

// ToTable keeps the latest value per key in the named store: a record is the new row of its key, one without a value
// deletes the row. Records without a key are dropped and counted.
func (s Stream[K, V]) ToTable(name string, opts ...store.Option) ktable.Table[K, V] {
	c := call("ToTable", name)
	s.h().NeedEqualKeys(c)
	t := dsl.Keep(s.h(), c, "to-table", name, opts)
	dsl.CopartitionSources(t.Handle())
	return ktable.Table[K, V](t)
}

// FromTable reads the changes of a table as a stream of its new rows; a deleted row is a record without a value. Use it in
// a chain: table.Then(kstream.FromTable).To(topic).
func FromTable[K, V any](t ktable.Table[K, V]) Stream[K, V] {
	h := dsl.Table[K, V](t).Handle()
	nullable := topics.Nullable(h.Value())
	step := dsl.Step{Call: "FromTable", Kind: "to-stream"}
	return Stream[K, V](h.Unfold(step, func(_ graph.Env, _ *graph.Node, next record.Fn[K, V]) record.ChangeFn[K, V] {
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.NoKey, m.NoValue = false, !c.HasNew && !nullable
			next(m, k, c.New)
		}
	}).WithValue(h.Value()))
}

// Change is a row of a table before and after a change. After a deletion HasNew is false, before the first value HasOld.
type Change[V any] struct {
	Old, New       V
	HasOld, HasNew bool
}

// FromChanges reads the changes of a table with the value before and after each.
func FromChanges[K, V any](t ktable.Table[K, V]) Stream[K, Change[V]] {
	h := dsl.Table[K, V](t).Handle()
	step := dsl.Step{Call: "FromChanges", Kind: "to-changes", Old: graph.WantsOld}
	return Stream[K, Change[V]](h.Unfold(step, func(_ graph.Env, _ *graph.Node, next record.Fn[K, Change[V]]) record.ChangeFn[K, V] {
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.NoKey, m.NoValue = false, false
			next(m, k, Change[V]{c.Old, c.New, c.HasOld, c.HasNew})
		}
	}))
}
