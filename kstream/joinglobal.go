package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/ktable"
)

// JoinGlobal joins each record with the row of a global table that key names, as the row is when the record is processed.
// Records whose row is not there are dropped; so are, and counted, those for which key returns false. key is called for
// records without a key too. No repartitioning is needed, and only records of the stream give results, with their key, time
// and headers. Deletions are dropped and counted.
func (s Stream[K, V]) JoinGlobal[KG, VG, R any](g ktable.Global[KG, VG], key func(K, V) (KG, bool), join func(V, VG) R) Stream[K, R] {
	step := dsl.Step{Call: "JoinGlobal", Kind: "join-global", NilFunc: key == nil || join == nil}
	return s.joinGlobal(step, dsl.Global[KG, VG](g), key, func(v V, vg VG, _ bool) R { return join(v, vg) })
}

// LeftJoinGlobal is JoinGlobal that keeps records without a row; ok reports a row. Deletions are dropped and counted.
func (s Stream[K, V]) LeftJoinGlobal[KG, VG, R any](g ktable.Global[KG, VG], key func(K, V) (KG, bool), join func(v V, vg VG, ok bool) R) Stream[K, R] {
	step := dsl.Step{Call: "LeftJoinGlobal", Kind: "left-join-global", NilFunc: key == nil || join == nil, NullKeys: true}
	return s.joinGlobal(step, dsl.Global[KG, VG](g), key, join)
}

func (s Stream[K, V]) joinGlobal[KG, VG, R any](step dsl.Step, g dsl.Global[KG, VG], key func(K, V) (KG, bool), join func(V, VG, bool) R) Stream[K, R] {
	h, left := s.h(), step.NullKeys
	h.SameBuilder(step.Call, g.Builder(step.Call))
	return Stream[K, R](h.MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, R]) record.Fn[K, V] {
		id, look := int32(n.ID), g.View(env, n)
		nullValue, nullKey := topics.Null(h.Value()), topics.Null(topics.Choose(g.Key()))
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			if m.NoValue || nullValue != nil && nullValue(v) {
				env.Drop(n, dsl.NullValue)
				return
			}
			var row VG
			at, ok := key(k, v)
			switch {
			case ok && (nullKey == nil || !nullKey(at)):
				if row, _, ok = look(at); !ok && !left {
					return
				}
			case !left:
				env.Drop(n, dsl.NullKey)
				return
			default:
				ok = false
			}
			next(m, k, join(v, row, ok))
		}
	}))
}
