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
//
// With a versioned table (store.History) a record meets the row as it was at the record's time, as far as the history
// reaches; see Buffered for rows that come late.
func (s Stream[K, V]) JoinTable[VT, R any](t ktable.Table[K, VT], join func(V, VT) R, opts ...JoinOption) Stream[K, R] {
	return s.joinTable(dsl.Step{Call: "JoinTable", Kind: "join-table", ByKey: true, NilFunc: join == nil}, dsl.Table[K, VT](t),
		func(v V, vt VT, _ bool) R { return join(v, vt) }, opts)
}

// LeftJoinTable is JoinTable that keeps records without a row, and those without a key; ok reports a row. Deletions are
// dropped and counted.
func (s Stream[K, V]) LeftJoinTable[VT, R any](t ktable.Table[K, VT], join func(v V, vt VT, ok bool) R, opts ...JoinOption) Stream[K, R] {
	return s.joinTable(dsl.Step{Call: "LeftJoinTable", Kind: "left-join-table", ByKey: true, NilFunc: join == nil, NullKeys: true}, dsl.Table[K, VT](t), join, opts)
}

func (s Stream[K, V]) joinTable[VT, R any](step dsl.Step, t dsl.Table[K, VT], join func(V, VT, bool) R, opts []JoinOption) Stream[K, R] {
	h := s.h()
	h.NeedEqualKeys(step.Call)
	left, same := step.NullKeys, h.SameBuilder(step.Call, t.Handle().Builder(step.Call))
	if same {
		step.Stores = t.Bases(step.Call)
	}
	hold := newHolding(s, step.Call, t, opts)
	if hold.d != nil {
		step.Stores = append(step.Stores[:len(step.Stores):len(step.Stores)], hold.d)
		step.Clocks = append(step.Clocks, hold.d.Name)
	}
	out := h.MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, R]) record.Fn[K, V] {
		id, look := int32(n.ID), lookUp(env, n, t)
		nullKey, nullValue := topics.Null(h.Key()), topics.Null(h.Value())
		joined := func(m *record.Meta, k K, v V) {
			row, _, ok := look(m, k)
			if !ok && !left {
				return
			}
			m.Node = id // the look-up may have run steps of the table
			next(m, k, join(v, row, ok))
		}
		meet := joined
		if hold.d != nil {
			meet = holder(env, n, hold, joined)
		}
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			switch {
			case m.NoValue || nullValue != nil && nullValue(v):
				env.Drop(n, dsl.NullValue)
			case !m.NoKey && (nullKey == nil || !nullKey(k)):
				meet(m, k, v)
			case left:
				var none VT
				next(m, k, join(v, none, false))
			default:
				env.Drop(n, dsl.NullKey)
			}
		}
	})
	if same {
		dsl.CopartitionWith(out, h, t)
	}
	return Stream[K, R](out)
}

// lookUp returns the look-up of a table's rows for a record: as they are, those of a versioned table as they were at the
// record's time.
func lookUp[K, VT any](env graph.Env, n *graph.Node, t dsl.Table[K, VT]) func(m *record.Meta, k K) (VT, int64, bool) {
	if t.Versioned() {
		was := t.AsOf(env, n)
		return func(m *record.Meta, k K) (VT, int64, bool) { return was(k, m.Time) }
	}
	look := t.View(env, n)
	return func(_ *record.Meta, k K) (VT, int64, bool) { return look(k) }
}
