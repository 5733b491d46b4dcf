package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Join joins the rows of two tables with the same key: the result has a row where both have one. Each change of either
// side gives one, with the higher time of the two rows.
//
// The result holds no rows: where it is looked up it is computed from the two sides. Materialize gives it a store.
func (t Table[K, V]) Join[V2, R any](other Table[K, V2], join func(V, V2) R) Table[K, R] {
	return t.join(other, joining[V, V2, R]{
		call: "Join", kind: "join-tables", nilFunc: join == nil,
		join: func(v V, _ bool, v2 V2, _ bool) R { return join(v, v2) },
	})
}

// LeftJoin is Join that keeps the rows of t that have no match; ok reports a match.
func (t Table[K, V]) LeftJoin[V2, R any](other Table[K, V2], join func(v V, v2 V2, ok bool) R) Table[K, R] {
	return t.join(other, joining[V, V2, R]{
		call: "LeftJoin", kind: "left-join-tables", nilFunc: join == nil, left: true,
		join: func(v V, _ bool, v2 V2, ok bool) R { return join(v, v2, ok) },
	})
}

// OuterJoin is Join that keeps the rows of both sides; at least one of ok, ok2 is true.
func (t Table[K, V]) OuterJoin[V2, R any](other Table[K, V2], join func(v V, ok bool, v2 V2, ok2 bool) R) Table[K, R] {
	return t.join(other, joining[V, V2, R]{
		call: "OuterJoin", kind: "outer-join-tables", nilFunc: join == nil, left: true, right: true, join: join,
	})
}

// A joining is what the joins of two tables differ in.
type joining[V, V2, R any] struct {
	call, kind  string
	nilFunc     bool
	left, right bool // keeps rows of that side without a match
	join        func(v V, ok bool, v2 V2, ok2 bool) R
}

// join adds three steps: what a change of each side comes to, and where both go on.
//
//	t ─────► change of t, looks up other ────┐
//	                                         ├──► result
//	other ─► change of other, looks up t ────┘
func (t Table[K, V]) join[V2, R any](other Table[K, V2], j joining[V, V2, R]) Table[K, R] {
	l, r := t.h(), other.h()
	if !l.SameBuilder(j.call, r.Builder(j.call)) {
		return Table[K, R](dsl.Passing(l.Change(dsl.Step{Call: j.call, Kind: j.kind, NilFunc: j.nilFunc}, nowhere[K, V, R])))
	}
	this := dsl.Step{Call: j.call, Kind: j.kind + "-this", NilFunc: j.nilFunc, Stores: other.t().Bases(j.call), Old: graph.PassesOld}
	that := dsl.Step{Call: j.call, Kind: j.kind + "-other", Stores: t.t().Bases(j.call), Old: graph.PassesOld}
	if j.left {
		t.t().NeedOld(j.call) // a deletion of a row that was never there gives nothing, and must be told from others
		this.Old = graph.WantsOld
	}
	if j.right {
		other.t().NeedOld(j.call)
		that.Old = graph.WantsOld
	}
	fromLeft := l.Change(this, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, R]) record.ChangeFn[K, V] {
		return t.t().InOrder(env, n, side(n, j.left, j.right, other.t().View(env, n), j.join, next))
	})
	fromRight := r.Change(that, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, R]) record.ChangeFn[K, V2] {
		return other.t().InOrder(env, n, side(n, j.right, j.left, t.t().View(env, n), flip(j.join), next))
	})
	out := fromLeft.Meet(dsl.Step{Call: j.call, Kind: j.kind, Old: graph.PassesOld}, fromRight)
	dsl.CopartitionSources(out)
	return Table[K, R](dsl.Met(t.t(), other.t(), out, func(env graph.Env, left dsl.View[K, V], right dsl.View[K, V2]) dsl.View[K, R] {
		id, m := int32(out.Node().ID), env.Meta()
		return func(k K) (res R, time int64, ok bool) {
			v, time, ok := left(k)
			v2, time2, ok2 := right(k)
			if !ok && !j.right || !ok2 && !j.left || !ok && !ok2 {
				return res, 0, false
			}
			if !ok || ok2 && time2 > time {
				time = time2
			}
			m.Node = id
			return j.join(v, ok, v2, ok2), time, true
		}
	}))
}

// side makes the function of the changes of one side of a join: mine, which keeps its rows without a match or not, and
// theirs, which does or does not. join takes what is mine first.
func side[K, V, V2, R any](n *graph.Node, mine, theirs bool, look dsl.View[K, V2], join func(V, bool, V2, bool) R, next record.ChangeFn[K, R]) record.ChangeFn[K, V] {
	id, old := int32(n.ID), n.OldWanted()
	return func(m *record.Meta, k K, c record.Change[V]) {
		m.Node = id
		v2, time, ok := look(k)
		if !ok && (!mine || !c.HasNew && !c.HasOld) {
			return // there is no row, and was none
		}
		m.Node = id // the look-up may have run steps of the other table
		if ok {
			m.Time = max(m.Time, time)
		}
		var out record.Change[R]
		if c.HasNew || theirs && ok {
			out.New, out.HasNew = join(c.New, c.HasNew, v2, ok), true
		}
		if old && (c.HasOld || theirs && ok) {
			out.Old, out.HasOld = join(c.Old, c.HasOld, v2, ok), true
		}
		next(m, k, out)
	}
}

func flip[V, V2, R any](join func(V, bool, V2, bool) R) func(V2, bool, V, bool) R {
	return func(v2 V2, ok2 bool, v V, ok bool) R { return join(v, ok, v2, ok2) }
}

// nowhere stands for the function of a step that was reported and will never run.
func nowhere[K, V, R any](graph.Env, *graph.Node, record.ChangeFn[K, R]) record.ChangeFn[K, V] {
	return nil
}
