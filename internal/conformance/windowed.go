package conformance

import (
	"time"

	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/window"
)

// A cut is how a windowedBy cuts a grouping.
type cut struct {
	kind     string // time, sliding, session
	windows  window.Windows
	sessions window.SessionWindows
	size     time.Duration // of time windows; of sliding ones their time difference
	close    bool          // emits when windows close
	every    time.Duration // at most so often
}

func (p *program[S, N]) cut(n *Node) cut {
	grace := n.span("graceMs")
	c := cut{kind: n.one("kind", "time", "sliding", "session"), size: n.span("sizeMs"), every: p.millis(p.c.Config.WindowCloseEmitMs)}
	c.close = n.one("emit", "", "close") == "close"
	switch c.kind {
	case "time":
		w := window.Tumbling(c.size)
		if n.has("advanceMs") {
			w = window.Hopping(c.size, n.span("advanceMs"))
		}
		c.windows = w.Grace(grace)
	case "sliding":
		c.windows = window.Sliding(c.size).Grace(grace)
	case "session":
		c.sessions = window.Session(n.span("gapMs")).Grace(grace)
	}
	return c
}

// emission returns how results are sent when windows close. Kafka Streams forgets windows that have expired before they were
// sent; Millrace does so only if it is told.
func (p *program[S, N]) emission(c cut) []ktable.EmitOption {
	opts := []ktable.EmitOption{ktable.EmitEvery(c.every)}
	if !p.own {
		opts = append(opts, ktable.EmitRetained())
	}
	return opts
}

// windowKeys returns the kind of keys that a cut makes.
func windowKeys[S any](c cut, text kind[S]) kind[window.Key[S]] {
	if c.kind == "session" {
		return sessionKeys(text)
	}
	return timeKeys(text, c.size)
}

// A windowed grouping of the language.
type windowed[S, N, V any] struct {
	grouped[S, N, S, V]
	cut cut
}

func (x grouped[S, N, K, V]) windowedBy(n *Node) element {
	g, ok := any(x).(grouped[S, N, S, V])
	if !ok {
		return nil
	}
	return windowed[S, N, V]{g, x.p.cut(n)}
}

func (x windowed[S, N, V]) verb(n *Node) element {
	if x.cut.kind == "session" {
		return x.sessionFold(n)
	}
	p, text, opts, name := x.p, x.p.text, x.p.options(n), n.text("store")
	w := x.by(n).WindowedBy(x.cut.windows)
	if x.cut.close {
		w = w.EmitOnClose(x.p.emission(x.cut)...)
	}
	switch n.Op {
	case "count":
		return newWindows(p, n, x.cut, w.Count(name, opts...), p.counts)
	case "reduce":
		if w, ok := any(w).(ktable.Windowed[S, S]); ok {
			return newWindows(p, n, x.cut, w.Reduce(name, reducer(p, n.aggregator("fn")), opts...), text)
		}
	case "aggregate":
		init, add := initial(p, n), adder(p, text, x.v, n.aggregator("fn"))
		return newWindows(p, n, x.cut, w.Aggregate(name, text.serde, init, add, opts...), text)
	}
	return nil
}

func (x windowed[S, N, V]) sessionFold(n *Node) element {
	p, text, opts, name := x.p, x.p.text, x.p.options(n), n.text("store")
	w := x.by(n).WindowedBySession(x.cut.sessions)
	if x.cut.close {
		w = w.EmitOnClose(x.p.emission(x.cut)...)
	}
	switch n.Op {
	case "count":
		return newWindows(p, n, x.cut, w.Count(name, opts...), p.counts)
	case "reduce":
		if w, ok := any(w).(ktable.SessionWindowed[S, S]); ok {
			return newWindows(p, n, x.cut, w.Reduce(name, reducer(p, n.aggregator("fn")), opts...), text)
		}
	case "aggregate":
		init, add := initial(p, n), adder(p, text, x.v, n.aggregator("fn"))
		return newWindows(p, n, x.cut, w.Aggregate(name, text.serde, init, add, merging(p, n), opts...), text)
	}
	return nil
}

// merging returns what joins the aggregates of two sessions of a key.
func merging[S, N any](p *program[S, N], n *Node) func(k S, a, b S) S {
	f, text := n.merger(), p.text
	return func(_ S, a, b S) S { return text.of(f(text.text(a), text.text(b))) }
}

// newWindows returns a windowed table, whose store is looked at in the end.
func newWindows[S, N, V any](p *program[S, N], n *Node, c cut, t ktable.Table[window.Key[S], V], v kind[V]) element {
	name := n.text("store")
	if c.kind == "session" {
		spec := ktable.SessionStore(t)
		p.known[name] = declared[S]{name: name, spec: spec}
		p.dumps[name] = func(d *reading) Store { return sessionRows(d.Sessions(spec), p.text, v) }
	} else {
		spec := ktable.WindowStore(t)
		p.known[name] = declared[S]{name: name, spec: spec}
		p.dumps[name] = func(d *reading) Store { return windowRows(d.Windows(spec), p.text, v, true) }
	}
	return table[S, N, window.Key[S], V]{p, t, windowKeys(c, p.text), v}
}

// A cogrouped stream of the language: groupings to be folded into one table, each with its own aggregator.
type cogrouped[S, N, K any] struct {
	p  *program[S, N]
	k  kind[K]
	by func(n *Node) ktable.Cogrouped[K, S] // made when it is folded
}

func (x grouped[S, N, K, V]) cogroup(n *Node) element {
	add := adder(x.p, x.k, x.v, n.aggregator("fn"))
	return cogrouped[S, N, K]{p: x.p, k: x.k, by: func(n *Node) ktable.Cogrouped[K, S] { return x.by(n).Cogroup(add) }}
}

func (x cogrouped[S, N, K]) verb(n *Node) element {
	p, text := x.p, x.p.text
	switch n.Op {
	case "cogroupWith":
		switch y := p.element(n, "other").(type) {
		case grouped[S, N, K, S]:
			return cogroupWith(x, n, y)
		case grouped[S, N, K, N]:
			return cogroupWith(x, n, y)
		}
	case "windowedBy":
		if y, ok := any(x).(cogrouped[S, N, S]); ok {
			return windowedCogrouped[S, N]{y, p.cut(n)}
		}
	case "aggregate":
		return newTable(p, n, x.by(n).Aggregate(n.text("store"), text.serde, initial(p, n), p.options(n)...), x.k, text)
	}
	return nil
}

func cogroupWith[S, N, K, V any](x cogrouped[S, N, K], n *Node, y grouped[S, N, K, V]) element {
	add, before := adder(x.p, y.k, y.v, n.aggregator("fn")), x.by
	x.by = func(n *Node) ktable.Cogrouped[K, S] {
		c := before(n) // first: repartition topics are made in the order of the groupings
		return c.And(y.by(n), add)
	}
	return x
}

// A windowedCogrouped is a cogrouped stream cut into windows.
type windowedCogrouped[S, N any] struct {
	cogrouped[S, N, S]
	cut cut
}

func (x windowedCogrouped[S, N]) verb(n *Node) element {
	if n.Op != "aggregate" {
		return nil
	}
	p, c := x.p, x.by(n)
	var w ktable.WindowedCogrouped[S, S]
	if x.cut.kind == "session" {
		w = c.WindowedBySession(x.cut.sessions, merging(p, n))
	} else {
		w = c.WindowedBy(x.cut.windows)
	}
	if x.cut.close {
		w = w.EmitOnClose(x.p.emission(x.cut)...)
	}
	return newWindows(p, n, x.cut, w.Aggregate(n.text("store"), p.text.serde, initial(p, n), p.options(n)...), p.text)
}
