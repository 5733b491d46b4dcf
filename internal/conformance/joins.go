package conformance

import (
	"strconv"
	"strings"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
)

// coupled applies the joiner of an operation, which gets the key with them, to what a join has found on both sides: a text
// made by couple. A type of its own would have all verbs compiled for it.
func coupled[S, N, K, V any](x stream[S, N, K, V], n *Node, s kstream.Stream[K, S]) element {
	join := n.joiner(true)
	return textValues(x, s.MapValuesWithKey(func(k K, both S) S {
		l, rest := side(*x.p.text.text(both))
		r, _ := side(rest)
		return x.p.text.of(join(x.k.text(k), l, r))
	}))
}

// couple writes two texts, either of which may be null, as one.
func (p *program[S, N]) couple(l, r *string) S { return p.text.of(new(sized(l) + sized(r))) }

func sized(s *string) string {
	if s == nil {
		return "-;"
	}
	return strconv.Itoa(len(*s)) + ";" + *s
}

// side reads one of the two.
func side(both string) (s *string, rest string) {
	size, rest, _ := strings.Cut(both, ";")
	if size == "-" {
		return nil, rest
	}
	n, err := strconv.Atoi(size)
	if err != nil {
		panic(err)
	}
	return new(rest[:n]), rest[n:]
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
		return coupled(x, n, x.s.JoinTable(t.t, func(v V, vt VT) S { return x.p.couple(x.v.text(v), t.v.text(vt)) }, opts...))
	}
	return coupled(x, n, x.s.LeftJoinTable(t.t, func(v V, vt VT, ok bool) S {
		if !ok {
			return x.p.couple(x.v.text(v), nil)
		}
		return x.p.couple(x.v.text(v), t.v.text(vt))
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
		return coupled(x, n, x.s.JoinGlobal(g.g, key, func(v V, vg S) S { return x.p.couple(x.v.text(v), text.text(vg)) }))
	}
	return coupled(x, n, x.s.LeftJoinGlobal(g.g, key, func(v V, vg S, ok bool) S {
		return x.p.couple(x.v.text(v), there(text, vg, ok))
	}))
}
