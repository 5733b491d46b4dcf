package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// MapValues maps each value with f. Deletions pass without a call of f.
func (s Stream[K, V]) MapValues[V2 any](f func(V) V2) Stream[K, V2] {
	step := dsl.Step{Call: "MapValues", Kind: "map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			var v2 V2
			if !m.NoValue {
				m.Node = id
				v2 = f(v)
			}
			next(m, k, v2)
		}
	}))
}

// MapValuesWithKey is MapValues with a function that also gets the key.
func (s Stream[K, V]) MapValuesWithKey[V2 any](f func(K, V) V2) Stream[K, V2] {
	step := dsl.Step{Call: "MapValuesWithKey", Kind: "map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			var v2 V2
			if !m.NoValue {
				m.Node = id
				v2 = f(k, v)
			}
			next(m, k, v2)
		}
	}))
}

// TryMapValues is MapValues with a function that may fail: the error policy decides what becomes of the record.
func (s Stream[K, V]) TryMapValues[V2 any](f func(V) (V2, error)) Stream[K, V2] {
	step := dsl.Step{Call: "TryMapValues", Kind: "map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			var v2 V2
			if !m.NoValue {
				m.Node = id
				var err error
				if v2, err = f(v); err != nil {
					record.Fail(id, err)
				}
			}
			next(m, k, v2)
		}
	}))
}

// FilterMapValues maps the values for which f returns true and drops the other records. Deletions pass.
func (s Stream[K, V]) FilterMapValues[V2 any](f func(V) (V2, bool)) Stream[K, V2] {
	step := dsl.Step{Call: "FilterMapValues", Kind: "filter-map-values", NilFunc: f == nil}
	return Stream[K, V2](s.h().MapValues(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			var v2 V2
			if !m.NoValue {
				m.Node = id
				var ok bool
				if v2, ok = f(v); !ok {
					return
				}
			}
			next(m, k, v2)
		}
	}))
}
