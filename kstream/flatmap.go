package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// FlatMap maps each record to any number of records, given to emit one by one and sent on at once. emit must not be
// called after f returned. Deletions are dropped and counted. Before records of equal keys can meet, the result must go
// through Repartition.
func (s Stream[K, V]) FlatMap[K2, V2 any](f func(k K, v V, emit func(K2, V2))) Stream[K2, V2] {
	step := dsl.Step{Call: "FlatMap", Kind: "flat-map", NilFunc: f == nil}
	return Stream[K2, V2](s.h().Map(step, func(env graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V] {
		id, m := int32(n.ID), env.Meta()
		emit := func(k2 K2, v2 V2) {
			saved := *m
			m.NoKey, m.NoValue = false, false
			next(m, k2, v2)
			*m = saved
		}
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				env.Drop(n, dsl.NullValue)
				return
			}
			m.Node = id
			f(k, v, emit)
		}
	}))
}

// TryFlatMap is FlatMap with a function that may fail: the error policy decides what becomes of the record, and what f
// emitted before is dropped. To make that possible, records are sent on when f has returned.
func (s Stream[K, V]) TryFlatMap[K2, V2 any](f func(k K, v V, emit func(K2, V2)) error) Stream[K2, V2] {
	step := dsl.Step{Call: "TryFlatMap", Kind: "flat-map", NilFunc: f == nil}
	return Stream[K2, V2](s.h().Map(step, func(env graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V] {
		type pair struct {
			k K2
			v V2
		}
		id := int32(n.ID)
		var held []pair // reused from record to record
		emit := func(k2 K2, v2 V2) { held = append(held, pair{k2, v2}) }
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				env.Drop(n, dsl.NullValue)
				return
			}
			m.Node = id
			clear(held) // of a record that failed below, too
			held = held[:0]
			if err := f(k, v, emit); err != nil {
				record.Fail(id, err)
			}
			m.NoKey = false
			saved := *m
			for _, p := range held {
				*m = saved
				next(m, p.k, p.v)
			}
		}
	}))
}
