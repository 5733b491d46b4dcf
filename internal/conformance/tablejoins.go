package conformance

import (
	"github.com/millrace-streams/millrace/ktable"
)

// joinTables joins the rows of two tables of equal keys.
func (x table[S, N, K, V]) joinTables(n *Node) element {
	switch t := x.p.element(n, "right").(type) {
	case table[S, N, K, S]:
		return joinTables(x, n, t)
	case table[S, N, K, int64]:
		return joinTables(x, n, t)
	}
	return nil
}

func joinTables[S, N, K, V, V2 any](x table[S, N, K, V], n *Node, y table[S, N, K, V2]) element {
	join, of := n.joiner(false), x.p.text.of
	var t ktable.Table[K, S]
	switch n.one("kind", "inner", "left", "outer") {
	case "inner":
		t = x.t.Join(y.t, func(l V, r V2) S { return of(join(nil, x.v.text(l), y.v.text(r))) })
	case "left":
		t = x.t.LeftJoin(y.t, func(l V, r V2, ok bool) S { return of(join(nil, x.v.text(l), there(y.v, r, ok))) })
	case "outer":
		t = x.t.OuterJoin(y.t, func(l V, lok bool, r V2, rok bool) S {
			return of(join(nil, there(x.v, l, lok), there(y.v, r, rok)))
		})
	}
	return materialized(x, n, t.WithValueSerde(x.p.text.serde), x.p.text)
}

// there returns a value as text, null if it is not there: a row that is missing is not a null that a function meets.
func there[T any](k kind[T], v T, ok bool) *string {
	if !ok {
		return nil
	}
	return k.text(v)
}

// joinForeign joins each row with the row of another table that it names.
func (x table[S, N, K, V]) joinForeign(n *Node) element {
	switch t := x.p.element(n, "right").(type) {
	case table[S, N, S, S]:
		return joinForeign(x, n, t)
	case table[S, N, S, int64]:
		return joinForeign(x, n, t)
	}
	return nil
}

func joinForeign[S, N, K, V, V2 any](x table[S, N, K, V], n *Node, y table[S, N, S, V2]) element {
	f, join, of := n.selector("fn"), n.joiner(false), x.p.text.of
	key := func(k K, v V) (key S, ok bool) {
		s := f(x.k.text(k), x.v.text(v))
		if s == nil {
			return key, false
		}
		return of(s), true
	}
	var t ktable.Table[K, S]
	if n.one("kind", "inner", "left") == "inner" {
		t = x.t.JoinForeign(n.text("name"), y.t, key, func(l V, r V2) S { return of(join(nil, x.v.text(l), y.v.text(r))) })
	} else {
		t = x.t.LeftJoinForeign(n.text("name"), y.t, key, func(l V, r V2, ok bool) S {
			return of(join(nil, x.v.text(l), there(y.v, r, ok)))
		})
	}
	return materialized(x, n, t.WithValueSerde(x.p.text.serde), x.p.text)
}

// A regrouped table of the language.
type regrouped[S, N any] struct {
	p *program[S, N]
	g ktable.Regrouped[S, S]
}

func (x table[S, N, K, V]) groupBy(n *Node) element {
	key, value, of := n.selector("key"), n.valueOf("value"), x.p.text.of
	g := x.t.GroupBy(n.text("repartition"), func(k K, v V) (S, S) {
		kt, vt := x.k.text(k), x.v.text(v)
		return of(key(kt, vt)), of(value(kt, vt))
	})
	return regrouped[S, N]{x.p, g.WithSerdes(x.p.text.serde, x.p.text.serde)}
}

func (x regrouped[S, N]) verb(n *Node) element {
	p, text := x.p, x.p.text
	switch n.Op {
	case "count":
		return newTable(p, n, x.g.Count(n.text("store"), p.options(n)...), text, p.counts)
	case "reduce":
		add, sub := reducer(p, n.aggregator("fn")), reducer(p, n.aggregator("sub"))
		return newTable(p, n, x.g.Reduce(n.text("store"), add, sub, p.options(n)...), text, text)
	case "aggregate":
		init := initial(p, n)
		add, sub := adder(p, text, text, n.aggregator("fn")), adder(p, text, text, n.aggregator("sub"))
		return newTable(p, n, x.g.Aggregate(n.text("store"), text.serde, init, add, sub, p.options(n)...), text, text)
	}
	return nil
}
