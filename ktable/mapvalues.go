package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// MapValues maps each value with f. f may be called more often than rows change: for old values, and where the table is
// looked up.
func (t Table[K, V]) MapValues[V2 any](f func(V) V2) Table[K, V2] {
	step := dsl.Step{Call: "MapValues", Kind: "map-values", NilFunc: f == nil}
	return t.mapValues(step, func(_ int32, _ K, v V) V2 { return f(v) })
}

// MapValuesWithKey is MapValues with a function that also gets the key.
func (t Table[K, V]) MapValuesWithKey[V2 any](f func(K, V) V2) Table[K, V2] {
	step := dsl.Step{Call: "MapValuesWithKey", Kind: "map-values", NilFunc: f == nil}
	return t.mapValues(step, func(_ int32, k K, v V) V2 { return f(k, v) })
}

// TryMapValues is MapValues with a function that may fail: the error policy decides what becomes of the record that
// changed the row, or that looked it up. See OnError for when it is asked.
func (t Table[K, V]) TryMapValues[V2 any](f func(V) (V2, error)) Table[K, V2] {
	step := dsl.Step{Call: "TryMapValues", Kind: "map-values", NilFunc: f == nil}
	return t.mapValues(step, func(id int32, _ K, v V) V2 {
		v2, err := f(v)
		if err != nil {
			record.Fail(id, err)
		}
		return v2
	})
}

func (t Table[K, V]) mapValues[V2 any](step dsl.Step, f func(id int32, k K, v V) V2) Table[K, V2] {
	step.Old = graph.PassesOld
	h := t.h().Change(step, func(_ graph.Env, n *graph.Node, next record.ChangeFn[K, V2]) record.ChangeFn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.Node = id
			c2 := record.Change[V2]{HasOld: c.HasOld, HasNew: c.HasNew, Stale: c.Stale}
			if c.HasNew {
				c2.New = f(id, k, c.New)
			}
			if c.HasOld {
				c2.Old = f(id, k, c.Old)
			}
			next(m, k, c2)
		}
	})
	return Table[K, V2](dsl.Derived(t.t(), h, func(env graph.Env, n *graph.Node, look dsl.View[K, V]) dsl.View[K, V2] {
		id, m := int32(n.ID), env.Meta()
		return func(k K) (v2 V2, time int64, ok bool) {
			v, time, ok := look(k)
			if ok {
				m.Node = id
				v2 = f(id, k, v)
			}
			return v2, time, ok
		}
	}))
}

// FilterMapValues maps each value; a row for which f returns false is deleted downstream. f may be called more often than
// rows change: for old values, and where the table is looked up.
func (t Table[K, V]) FilterMapValues[V2 any](f func(V) (V2, bool)) Table[K, V2] {
	step := dsl.Step{Call: "FilterMapValues", Kind: "filter-map-values", NilFunc: f == nil, Old: t.wantsOld()}
	known := t.knownAbsent()
	h := t.h().Change(step, func(_ graph.Env, n *graph.Node, next record.ChangeFn[K, V2]) record.ChangeFn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.Node = id
			c2 := record.Change[V2]{Stale: c.Stale}
			if c.HasNew {
				c2.New, c2.HasNew = f(c.New)
			}
			if c.HasOld {
				c2.Old, c2.HasOld = f(c.Old)
			}
			if c2.HasNew || c2.HasOld || !known { // else downstream never had the row
				next(m, k, blank(c2))
			}
		}
	})
	return Table[K, V2](dsl.Derived(t.t(), h, func(env graph.Env, n *graph.Node, look dsl.View[K, V]) dsl.View[K, V2] {
		id, m := int32(n.ID), env.Meta()
		return func(k K) (v2 V2, time int64, ok bool) {
			v, time, ok := look(k)
			if ok {
				m.Node = id
				if v2, ok = f(v); !ok {
					var none V2
					return none, 0, false
				}
			}
			return v2, time, ok
		}
	}))
}
