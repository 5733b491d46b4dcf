package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Filter keeps the rows for which keep returns true; a row that no longer passes is deleted downstream. keep may be called
// more often than rows change: for old values, and where the table is looked up.
func (t Table[K, V]) Filter(keep func(K, V) bool) Table[K, V] {
	return t.filter(dsl.Step{Call: "Filter", Kind: "filter", NilFunc: keep == nil, Old: t.wantsOld()}, keep, true)
}

// FilterNot keeps the rows for which drop returns false; see Filter.
func (t Table[K, V]) FilterNot(drop func(K, V) bool) Table[K, V] {
	return t.filter(dsl.Step{Call: "FilterNot", Kind: "filter-not", NilFunc: drop == nil, Old: t.wantsOld()}, drop, false)
}

// wantsOld is what a filter does with old values: it uses them where they are known, to keep quiet about rows that were
// not there and are not there. Where they are not known, a deletion too many is harmless.
func (t Table[K, V]) wantsOld() graph.OldUse {
	if t.t().KnowsOld() {
		return graph.WantsOld
	}
	return graph.IgnoresOld
}

// knownAbsent reports whether a filter keeps quiet about rows that were not there and are not there. Each version of a
// versioned table is told (KIP-914).
func (t Table[K, V]) knownAbsent() bool { return t.t().KnowsOld() && !t.t().Versioned() }

func (t Table[K, V]) filter(step dsl.Step, f func(K, V) bool, want bool) Table[K, V] {
	known := t.knownAbsent()
	h := t.h().Change(step, func(_ graph.Env, n *graph.Node, next record.ChangeFn[K, V]) record.ChangeFn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.Node = id
			if c.HasNew && f(k, c.New) != want {
				c.HasNew = false
			}
			if c.HasOld && f(k, c.Old) != want {
				c.HasOld = false
			}
			if c.HasNew || c.HasOld || !known { // else downstream never had the row
				next(m, k, blank(c))
			}
		}
	})
	return Table[K, V](dsl.Derived(t.t(), h.WithValue(t.h().Value()), func(env graph.Env, n *graph.Node, look dsl.View[K, V]) dsl.View[K, V] {
		id, m := int32(n.ID), env.Meta()
		return func(k K) (v V, time int64, ok bool) {
			if v, time, ok = look(k); ok {
				if m.Node = id; f(k, v) != want {
					var none V
					return none, 0, false
				}
			}
			return v, time, ok
		}
	}))
}

// blank clears what a change says is not there.
func blank[V any](c record.Change[V]) record.Change[V] {
	var none V
	if !c.HasNew {
		c.New = none
	}
	if !c.HasOld {
		c.Old = none
	}
	return c
}
