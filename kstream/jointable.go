package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/ktable"
)

// JoinTable joins each record with the table's row of its key, as the row is when the record is processed; records without
// a row are dropped. Only records of the stream give results, with their time and headers. Deletions and records without
// a key are dropped and counted.
func (s Stream[K, V]) JoinTable[VT, R any](t ktable.Table[K, VT], join func(V, VT) R) Stream[K, R] {
	return s.joinTable(dsl.Step{Call: "JoinTable", Kind: "join-table", NilFunc: join == nil}, dsl.Table[K, VT](t),
		func(v V, vt VT, _ bool) R { return join(v, vt) })
}

// LeftJoinTable is JoinTable that keeps records without a row, and those without a key; ok reports a row. Deletions are
// dropped and counted.
func (s Stream[K, V]) LeftJoinTable[VT, R any](t ktable.Table[K, VT], join func(v V, vt VT, ok bool) R) Stream[K, R] {
	return s.joinTable(dsl.Step{Call: "LeftJoinTable", Kind: "left-join-table", NilFunc: join == nil, NullKeys: true}, dsl.Table[K, VT](t), join)
}

func (s Stream[K, V]) joinTable[VT, R any](step dsl.Step, t dsl.Table[K, VT], join func(V, VT, bool) R) Stream[K, R] {
	h := s.h()
	h.NeedEqualKeys(step.Call)
	left, same := step.NullKeys, h.SameBuilder(step.Call, t.Handle().Builder(step.Call))
	if same {
		step.Stores = t.Bases(step.Call)
	}
	out := h.MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, R]) record.Fn[K, V] {
		id, look := int32(n.ID), t.View(env, n)
		nullKey, nullValue := topics.Null(h.Key()), topics.Null(h.Value())
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			if m.NoValue || nullValue != nil && nullValue(v) {
				env.Drop(n, dsl.NullValue)
				return
			}
			var row VT
			var ok bool
			if m.NoKey || nullKey != nil && nullKey(k) {
				if !left {
					env.Drop(n, dsl.NullKey)
					return
				}
			} else if row, _, ok = look(k); !ok && !left {
				return
			}
			m.Node = id // the look-up may have run steps of the table
			next(m, k, join(v, row, ok))
		}
	})
	if same {
		dsl.CopartitionWith(out, h, t)
	}
	return Stream[K, R](out)
}
