package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// FlatMapValues maps each value to any number of values, sent on in order under the same key. Deletions pass.
func (s Stream[K, V]) FlatMapValues[V2 any](f func(V) []V2) Stream[K, V2] {
	step := dsl.Step{Call: "FlatMapValues", Kind: "flat-map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				var none V2
				next(m, k, none)
				return
			}
			m.Node = id
			saved := *m
			for _, v2 := range f(v) {
				*m = saved
				next(m, k, v2)
			}
		}
	}))
}

// FlatMapValuesWithKey is FlatMapValues with a function that also gets the key.
func (s Stream[K, V]) FlatMapValuesWithKey[V2 any](f func(K, V) []V2) Stream[K, V2] {
	step := dsl.Step{Call: "FlatMapValuesWithKey", Kind: "flat-map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				var none V2
				next(m, k, none)
				return
			}
			m.Node = id
			saved := *m
			for _, v2 := range f(k, v) {
				*m = saved
				next(m, k, v2)
			}
		}
	}))
}
