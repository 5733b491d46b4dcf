package conformance

import (
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
)

// A couple is what a join has found on both sides; the joiner gets the key with it.
type couple struct{ l, r *string }

// coupled applies the joiner of an operation to what a join has found.
func coupled[S, N, K, V any](x stream[S, N, K, V], n *Node, s kstream.Stream[K, couple]) element {
	join := n.joiner(true)
	return textValues(x, s.MapValuesWithKey(func(k K, c couple) S { return x.p.text.of(join(x.k.text(k), c.l, c.r)) }))
}

func (x stream[S, N, K, V]) joinTable(n *Node) element {
	switch t := x.p.element(n, "right").(type) {
	case table[S, N, K, S]:
		return joinTable(x, n, t)
	case table[S, N, K, int64]:
		return joinTable(x, n, t)
	}
	return nil
}

func joinTable[S, N, K, V, VT any](x stream[S, N, K, V], n *Node, t table[S, N, K, VT]) element {
	x = x.settled(n.text("name"))
	var opts []kstream.JoinOption
	if n.has("graceMs") {
		opts = append(opts, kstream.Buffered(n.text("name"), n.span("graceMs")))
	}
	if n.one("kind", "inner", "left") == "inner" {
		return coupled(x, n, x.s.JoinTable(t.t, func(v V, vt VT) couple { return couple{x.v.text(v), t.v.text(vt)} }, opts...))
	}
	return coupled(x, n, x.s.LeftJoinTable(t.t, func(v V, vt VT, ok bool) couple {
		if !ok {
			return couple{x.v.text(v), nil}
		}
		return couple{x.v.text(v), t.v.text(vt)}
	}, opts...))
}

// A global table of the language.
type global[S, N any] struct {
	p *program[S, N]
	g ktable.Global[S, S]
}

func (global[S, N]) verb(*Node) element { return nil }

func (x stream[S, N, K, V]) joinGlobal(n *Node) element {
	g, ok := x.p.element(n, "right").(global[S, N])
	if !ok {
		return nil
	}
	f, text := n.selector("fn"), x.p.text
	key := func(k K, v V) (key S, ok bool) {
		s := f(x.k.text(k), x.v.text(v))
		if s == nil {
			return key, false
		}
		return text.of(s), true
	}
	if n.one("kind", "inner", "left") == "inner" {
		return coupled(x, n, x.s.JoinGlobal(g.g, key, func(v V, vg S) couple { return couple{x.v.text(v), text.text(vg)} }))
	}
	return coupled(x, n, x.s.LeftJoinGlobal(g.g, key, func(v V, vg S, ok bool) couple {
		return couple{x.v.text(v), there(text, vg, ok)}
	}))
}
