package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
)

// Filter keeps the records for which keep returns true. Deletions pass.
func (s Stream[K, V]) Filter(keep func(K, V) bool) Stream[K, V] {
	step := dsl.Step{Call: "Filter", Kind: "filter", NilFunc: keep == nil}
	return Stream[K, V](s.h().Pass(step, filter(keep, true)))
}

// FilterNot keeps the records for which drop returns false. Deletions pass.
func (s Stream[K, V]) FilterNot(drop func(K, V) bool) Stream[K, V] {
	step := dsl.Step{Call: "FilterNot", Kind: "filter-not", NilFunc: drop == nil}
	return Stream[K, V](s.h().Pass(step, filter(drop, false)))
}

func filter[K, V any](f func(K, V) bool, want bool) func(graph.Env, *graph.Node, record.Fn[K, V]) record.Fn[K, V] {
	return func(_ graph.Env, n *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if !m.NoValue {
				if m.Node = id; f(k, v) != want {
					return
				}
			}
			next(m, k, v)
		}
	}
}

// DropDeletes keeps the records that have a value: it is the one verb that removes deletions.
func (s Stream[K, V]) DropDeletes() Stream[K, V] {
	null := topics.Null(s.h().Value())
	return Stream[K, V](s.h().Pass(dsl.Step{Call: "DropDeletes", Kind: "drop-deletes"},
		func(_ graph.Env, _ *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
			return func(m *record.Meta, k K, v V) {
				if m.NoValue || null != nil && null(v) {
					return
				}
				next(m, k, v)
			}
		}))
}
