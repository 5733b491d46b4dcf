package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Map maps each record to a new key and value. Deletions are dropped and counted: there is no value to find the new key
// with. Before records of equal keys can meet, the result must go through Repartition.
func (s Stream[K, V]) Map[K2, V2 any](f func(K, V) (K2, V2)) Stream[K2, V2] {
	step := dsl.Step{Call: "Map", Kind: "map", NilFunc: f == nil}
	return Stream[K2, V2](s.h().Map(step, func(env graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				env.Drop(n, dsl.NullValue)
				return
			}
			m.Node = id
			k2, v2 := f(k, v)
			m.NoKey = false
			next(m, k2, v2)
		}
	}))
}

// TryMap is Map with a function that may fail: the error policy decides what becomes of the record.
func (s Stream[K, V]) TryMap[K2, V2 any](f func(K, V) (K2, V2, error)) Stream[K2, V2] {
	step := dsl.Step{Call: "TryMap", Kind: "map", NilFunc: f == nil}
	return Stream[K2, V2](s.h().Map(step, func(env graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				env.Drop(n, dsl.NullValue)
				return
			}
			m.Node = id
			k2, v2, err := f(k, v)
			if err != nil {
				record.Fail(id, err)
			}
			m.NoKey = false
			next(m, k2, v2)
		}
	}))
}

// SelectKey gives each record a new key. Deletions are dropped and counted. Before records of equal keys can meet, the
// result must go through Repartition.
func (s Stream[K, V]) SelectKey[K2 any](f func(K, V) K2) Stream[K2, V] {
	step := dsl.Step{Call: "SelectKey", Kind: "select-key", NilFunc: f == nil}
	return Stream[K2, V](s.h().Map(step, selectKey(f)).WithValue(s.h().Value()))
}

func selectKey[K, V, K2 any](f func(K, V) K2) func(graph.Env, *graph.Node, record.Fn[K2, V]) record.Fn[K, V] {
	return func(env graph.Env, n *graph.Node, next record.Fn[K2, V]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				env.Drop(n, dsl.NullValue)
				return
			}
			m.Node = id
			k2 := f(k, v)
			m.NoKey = false
			next(m, k2, v)
		}
	}
}
