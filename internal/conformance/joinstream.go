package conformance

import (
	"time"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// joinStream joins two streams.
func (x stream[S, N, K, V]) joinStream(n *Node) element {
	switch other := x.p.element(n, "right").(type) {
	case stream[S, N, K, S]:
		return joinStreams(x, n, other)
	case stream[S, N, K, N]:
		return joinStreams(x, n, other)
	case stream[S, N, K, int64]:
		return joinStreams(x, n, other)
	}
	return nil
}

func joinStreams[S, N, K, V, V2 any](x stream[S, N, K, V], n *Node, y stream[S, N, K, V2]) element {
	alone := n.text("left") == n.text("right") && x.p.c.Config.Optimization == "all"
	topic, base := n.maybe("name"), n.text("store")
	x, y = x.settled(topic+"-left"), y.settled(topic+"-right")
	w := window.Within(0).Before(n.span("beforeMs")).After(n.span("afterMs")).Grace(n.span("graceMs")).
		EmitEvery(time.Duration(x.p.c.Config.OuterJoinEmitMs) * time.Millisecond)
	this, that := base+"-this-join-store", base+"-outer-other-join-store"
	var s kstream.Stream[K, S]
	opts, kind := x.p.joinOptions(n), n.one("kind", "inner", "left", "outer")
	switch {
	case alone: // of any kind: each record meets itself, if nothing else
		if kind == "outer" {
			base += "-outer"
		}
		this, that = base+"-this-join-store", ""
		s = x.s.JoinSelf(base, w, func(a, b V) S { return x.p.couple(x.v.text(a), x.v.text(b)) }, opts...)
	case kind == "inner":
		that = base + "-other-join-store"
		s = x.s.JoinStream(base, y.s, w, func(v V, v2 V2) S { return x.p.couple(x.v.text(v), y.v.text(v2)) }, opts...)
	case kind == "left":
		s = x.s.LeftJoinStream(base, y.s, w, func(v V, v2 V2, ok bool) S {
			return x.p.couple(x.v.text(v), there(y.v, v2, ok))
		}, opts...)
	default:
		this = base + "-outer-this-join-store"
		s = x.s.OuterJoinStream(base, y.s, w, func(v V, ok bool, v2 V2, ok2 bool) S {
			return x.p.couple(there(x.v, v, ok), there(y.v, v2, ok2))
		}, opts...)
	}
	size := n.span("beforeMs") + n.span("afterMs")
	x.p.dumps[this] = func(d *reading) Store { return joinRows(d, this, size, x.k, x.v) }
	if that != "" {
		x.p.dumps[that] = func(d *reading) Store { return joinRows(d, that, size, y.k, y.v) }
	}
	return coupled(x, n, s)
}

// joinOptions reads the store fields of a join of streams, whose stores have no cache.
func (p *program[S, N]) joinOptions(n *Node) (opts []store.Option) {
	if !n.flag("logging", true) {
		opts = append(opts, store.NoChangelog())
	}
	if n.one("storeType", "", "inMemory") == "inMemory" || p.c.Config.Stores == "inMemory" {
		opts = append(opts, store.InMemory())
	}
	return opts
}

// joinRows returns the rows of one side, the zero Store if it cannot be looked at.
func joinRows[K, V any](d *reading, name string, size time.Duration, k kind[K], v kind[V]) Store {
	s := Store{Kind: "window", Rows: []Row{}}
	for key, row := range d.JoinStore[K, V](name) {
		start := row.Time.UnixMilli()
		s.Rows = append(s.Rows, Row{Key: []byte(*k.text(key)), Window: &[2]int64{start, start + size.Milliseconds()}}.with(v.name, v.text(row.Value)))
	}
	if size == 0 && len(s.Rows) > 0 { // Kafka Streams cannot show windows of no size
		return Store{}
	}
	return s
}
