package conformance

import (
	"context"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/topology"
)

// A table of the language. K is S or a windowed S, V is S or int64.
type table[S, N, K, V any] struct {
	p *program[S, N]
	t ktable.Table[K, V]
	k kind[K]
	v kind[V]
}

// newTable returns a table with a store of its own, which is looked at in the end.
func newTable[S, N, K, V any](p *program[S, N], n *Node, t ktable.Table[K, V], k kind[K], v kind[V]) table[S, N, K, V] {
	name := n.text("store")
	if n.has("versionedMs") {
		spec := ktable.VersionedStore(t)
		p.dumps[name] = func(d *reading) Store { return versionedRows(d, name, d.Versions(spec), k, v) }
		p.known[name] = declared[S]{name: name, spec: spec}
		return table[S, N, K, V]{p, t, k, v}
	}
	p.dumps[name] = func(d *reading) Store { return keyValueRows(d.Table(t), k, v, true) }
	p.known[name] = declared[S]{name: name, spec: t.Store(), timed: true, find: finder(t.Store(), k, v, true)}
	return table[S, N, K, V]{p, t, k, v}
}

func (x table[S, N, K, V]) verb(n *Node) element {
	switch n.Op {
	case "filter", "filterNot":
		f := n.predicate("fn")
		keep := func(k K, v V) bool { return f(x.k.text(k), x.v.text(v)) }
		if n.Op == "filter" {
			return materialized(x, n, x.t.Filter(keep), x.v)
		}
		return materialized(x, n, x.t.FilterNot(keep), x.v)
	case "mapValues":
		f := n.valueOf("fn")
		t := x.t.MapValuesWithKey(func(k K, v V) S { return x.p.text.of(f(x.k.text(k), x.v.text(v))) })
		return materialized(x, n, t.WithValueSerde(x.p.text.serde), x.p.text)
	case "joinTables":
		return x.joinTables(n)
	case "joinForeign":
		return x.joinForeign(n)
	case "tableGroupBy":
		return x.groupBy(n)
	case "suppress":
		return x.suppress(n)
	case "toStream":
		return x.toStream(n)
	}
	return nil
}

// materialized returns a table that follows from x, in a store if the operation names one.
func materialized[S, N, K, V, V2 any](x table[S, N, K, V], n *Node, t ktable.Table[K, V2], v kind[V2]) element {
	if !n.has("store") {
		return table[S, N, K, V2]{x.p, t, x.k, v}
	}
	return newTable(x.p, n, t.Materialize(n.text("store"), x.p.options(n)...), x.k, v)
}

// toStream shows deleted counts to functions as they show other nulls.
func (x table[S, N, K, V]) toStream(n *Node) element {
	switch t := any(x.t).(type) {
	case ktable.Table[K, S]:
		return stream[S, N, K, S]{p: x.p, s: kstream.FromTable(t), k: x.k, v: x.p.text}
	case ktable.Table[K, int64]:
		p := x.p
		if _, same := any(p.numbers).(kind[int64]); same {
			return stream[S, N, K, int64]{p: p, s: kstream.FromTable(t), k: x.k, v: p.counts}
		}
		s := kstream.FromTable(t).ProcessValues(n.ID+"-numbers", func(_ *topology.Task, out topology.OutValue[N]) topology.Handler[K, int64] {
			return func(_ context.Context, r topology.Record[K, int64]) error {
				out.Send(p.number(r.Value, r.HasValue()))
				return nil
			}
		})
		return stream[S, N, K, N]{p: p, s: s.WithValueSerde(p.numbers.serde), k: x.k, v: p.numbers}
	}
	return nil
}
