package conformance

import (
	"encoding/json"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
)

// A stream of the language. K is S or a windowed S, V is S or N.
type stream[S, N, K, V any] struct {
	p      *program[S, N]
	s      kstream.Stream[K, V]
	k      kind[K]
	v      kind[V]
	routes []string // names that operations that follow must have, since a router sends to them
	moved  bool     // the key may have changed since the last repartitioning
	origin string   // the operation that changed it, if values were not changed since
}

func (x stream[S, N, K, V]) verb(n *Node) element {
	x = x.routed(n).partitionedFor(n)
	switch n.Op {
	case "filter", "filterNot":
		return x.filter(n)
	case "mapValues":
		f := n.valueOf("fn")
		return textValues(x, x.s.MapValuesWithKey(func(k K, v V) S { return x.p.text.of(f(x.k.text(k), x.v.text(v))) }))
	case "flatMapValues":
		return x.flatMapValues(n)
	case "map":
		key, value := n.selector("key"), n.valueOf("value")
		return texts(x, n, x.s.Map(func(k K, v V) (S, S) {
			kt, vt := x.k.text(k), x.v.text(v)
			return x.p.text.of(key(kt, vt)), x.p.text.of(value(kt, vt))
		}))
	case "flatMap":
		f := n.pairer("fn")
		return texts(x, n, x.s.FlatMap(func(k K, v V, emit func(S, S)) {
			f(x.k.text(k), x.v.text(v), func(k2, v2 *string) { emit(x.p.text.of(k2), x.p.text.of(v2)) })
		}))
	case "selectKey":
		return x.selectKey(n)
	case "merge":
		other, ok := x.p.element(n, "other").(stream[S, N, K, V])
		if !ok {
			return nil
		}
		x.s, x.moved, x.origin = x.s.Merge(other.s), x.moved || other.moved, ""
		return x
	case "repartition":
		return x.repartition(n)
	case "split":
		return x.split(n)
	case "to":
		return x.to(n)
	case "toTable":
		x = x.settled(or(n.maybe("name"), n.ID))
		return newTable(x.p, n, x.s.ToTable(n.text("store"), x.p.options(n)...), x.k, x.v)
	case "groupByKey":
		return x.groupByKey(n)
	case "groupBy":
		g := x.selectKey(n).groupByKey(n)
		g.moved = true
		return g
	case "process":
		return x.process(n)
	case "processValues":
		return x.processValues(n)
	case "joinStream":
		return x.joinStream(n)
	case "joinGlobal":
		return x.joinGlobal(n)
	case "joinTable":
		return x.joinTable(n)
	}
	return nil
}

// textValues and texts are what follows from x by a verb that gives texts.
func textValues[S, N, K, V any](x stream[S, N, K, V], s kstream.Stream[K, S]) stream[S, N, K, S] {
	return stream[S, N, K, S]{p: x.p, s: s.WithValueSerde(x.p.text.serde), k: x.k, v: x.p.text, moved: x.moved}
}

func texts[S, N, K, V any](x stream[S, N, K, V], n *Node, s kstream.Stream[S, S]) stream[S, N, S, S] {
	return stream[S, N, S, S]{p: x.p, s: s.WithSerdes(x.p.text.serde, x.p.text.serde), k: x.p.text, v: x.p.text, moved: true, origin: n.ID}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (x stream[S, N, K, V]) filter(n *Node) element {
	f := n.predicate("fn")
	keep := func(k K, v V) bool { return f(x.k.text(k), x.v.text(v)) }
	if n.Op == "filter" {
		x.s = x.s.Filter(keep)
	} else {
		x.s = x.s.FilterNot(keep)
	}
	return x
}

func (x stream[S, N, K, V]) flatMapValues(n *Node) element {
	f := n.lister("fn")
	return textValues(x, x.s.FlatMapValues(func(v V) []S {
		var out []S
		for _, t := range f(x.v.text(v)) {
			out = append(out, x.p.text.of(t))
		}
		return out
	}))
}

func (x stream[S, N, K, V]) selectKey(n *Node) stream[S, N, S, V] {
	f := n.selector("fn")
	s := x.s.SelectKey(func(k K, v V) S { return x.p.text.of(f(x.k.text(k), x.v.text(v))) })
	return stream[S, N, S, V]{p: x.p, s: s.WithSerdes(x.p.text.serde, x.v.serde), k: x.p.text, v: x.v, moved: true, origin: n.ID}
}

func (x stream[S, N, K, V]) repartition(n *Node) element {
	var opts []kstream.RepartitionOption
	if n.has("partitions") {
		opts = append(opts, kstream.Partitions(int(n.number("partitions", 0))))
	}
	x.s, x.moved = x.s.Repartition(n.text("name"), opts...), false
	return x
}

// settled returns the stream with equal keys in one task: as it is, or through a repartition topic.
func (x stream[S, N, K, V]) settled(name string) stream[S, N, K, V] {
	if y, ok := x.shared(); ok {
		return y
	}
	if x.moved {
		x.s, x.moved = x.s.Repartition(name), false
	}
	return x
}

// split makes a node of each branch, and none of its own.
func (x stream[S, N, K, V]) split(n *Node) element {
	var branches []json.RawMessage
	n.get("branches", &branches)
	cases := x.s.Split()
	for _, b := range branches {
		branch := &Node{}
		if err := branch.UnmarshalJSON(append([]byte(`{"op":"branch",`), b[1:]...)); err != nil {
			unknown("%s: a branch: %v", n, err)
		}
		f := branch.predicate("fn")
		y := x
		y.s = cases.Case(func(k K, v V) bool { return f(x.k.text(k), x.v.text(v)) })
		if left := branch.rest(); len(left) > 0 {
			unknown("%s: branch %s: nobody knows %q", n, branch.ID, left)
		}
		x.p.name(branch.ID, y)
	}
	if n.has("default") {
		y := x
		y.s = cases.Default()
		x.p.name(n.text("default"), y)
	}
	return ending{}
}

func (x stream[S, N, K, V]) to(n *Node) element {
	if !n.has("topicFn") {
		x.s.To(topology.NewTopic(n.text("topic"), x.k.serde, x.v.serde))
		return ending{}
	}
	f, topics := n.selector("topicFn"), map[string]topology.Topic[K, V]{}
	x.s.ToEach(func(r topology.Record[K, V]) topology.Topic[K, V] {
		name := f(x.k.text(r.Key), x.v.text(r.Value))
		if name == nil {
			return topology.Topic[K, V]{}
		}
		t, ok := topics[*name]
		if !ok {
			t = topology.NewTopic(*name, x.k.serde, x.v.serde)
			topics[*name] = t
		}
		return t
	})
	return ending{}
}
