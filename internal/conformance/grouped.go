package conformance

import (
	"github.com/millrace-streams/millrace/ktable"
)

// A grouped stream of the language. It goes through a repartition topic, if it needs one, when it is first folded.
type grouped[S, N, K, V any] struct {
	stream[S, N, K, V]
	name string                  // of the repartition topic; "": that of the store it is first folded into
	made *[]ktable.Grouped[K, V] // the grouping, once it is made
}

func (x stream[S, N, K, V]) groupByKey(n *Node) grouped[S, N, K, V] {
	return grouped[S, N, K, V]{x, n.maybe("repartition"), new([]ktable.Grouped[K, V])}
}

// by returns the grouping, which is made once: its folds share the topic.
func (x grouped[S, N, K, V]) by(n *Node) ktable.Grouped[K, V] {
	if len(*x.made) == 0 {
		*x.made = append(*x.made, x.settled(or(x.name, n.maybe("store"))).s.GroupByKey())
	}
	return (*x.made)[0]
}

func (x grouped[S, N, K, V]) verb(n *Node) element {
	switch n.Op {
	case "windowedBy":
		return x.windowedBy(n)
	case "cogroup":
		return x.cogroup(n)
	case "count":
		return newTable(x.p, n, x.by(n).Count(n.text("store"), x.p.options(n)...), x.k, x.p.counts)
	case "reduce":
		return x.reduce(n)
	case "aggregate":
		init, add := initial(x.p, n), adder(x.p, x.k, x.v, n.aggregator("fn"))
		return newTable(x.p, n, x.by(n).Aggregate(n.text("store"), x.p.text.serde, init, add, x.p.options(n)...), x.k, x.p.text)
	}
	return nil
}

// initial returns what makes the first aggregate: the text that is given, or null.
func initial[S, N any](p *program[S, N], n *Node) func() S {
	var text *string
	if _, ok := n.fields["init"]; !ok {
		text = new("")
	}
	n.get("init", &text)
	return func() S { return p.text.of(text) }
}

// adder returns an aggregator of typed keys and values.
func adder[S, N, K, V any](p *program[S, N], key kind[K], value kind[V], f func(k, v, a *string) *string) func(K, V, S) S {
	return func(k K, v V, a S) S { return p.text.of(f(key.text(k), value.text(v), p.text.text(a))) }
}

// reducer returns an aggregator of values: it gets no key, and its aggregate is the old value.
func reducer[S, N any](p *program[S, N], f func(k, v, a *string) *string) func(old, v S) S {
	return func(old, v S) S { return p.text.of(f(nil, p.text.text(v), p.text.text(old))) }
}

func (x grouped[S, N, K, V]) reduce(n *Node) element {
	f := reducer(x.p, n.aggregator("fn"))
	switch g := any(x.by(n)).(type) {
	case ktable.Grouped[K, S]:
		return newTable(x.p, n, g.Reduce(n.text("store"), f, x.p.options(n)...), x.k, x.p.text)
	}
	return nil
}
