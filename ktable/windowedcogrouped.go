package ktable

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// WindowedCogrouped is several grouped streams cut into windows or sessions, to be folded into one table.
// Cogrouped.WindowedBy and WindowedBySession make it.
//
// What is late is judged as in Windowed, for each stream by its own event time; with EmitOnClose by that of all of them
// together, since a result that was sent cannot take more records.
type WindowedCogrouped[K, A any] struct {
	c     Cogrouped[K, A]
	cut   cut
	merge func(k K, a, b A) A // of sessions
}

// WindowedBy folds each tumbling, hopping, sliding or unlimited window on its own.
func (c Cogrouped[K, A]) WindowedBy(w window.Windows) WindowedCogrouped[K, A] {
	return WindowedCogrouped[K, A]{c: c, cut: cutBy(w, nil)}
}

// WindowedBySession folds each session on its own; merge joins two sessions that become one, the earlier one first.
func (c Cogrouped[K, A]) WindowedBySession(w window.SessionWindows, merge func(k K, a, b A) A) WindowedCogrouped[K, A] {
	wc := WindowedCogrouped[K, A]{c: c, cut: cutBySession(w, nil), merge: merge}
	if merge == nil {
		wc.cut.err = errors.Join(wc.cut.err, errors.New("the function that merges sessions is nil: pass one"))
	}
	return wc
}

// EmitOnClose sends one result per window, when it is closed, instead of updates; see Windowed.EmitOnClose.
func (c WindowedCogrouped[K, A]) EmitOnClose(opts ...EmitOption) WindowedCogrouped[K, A] {
	closing := newClosing(opts)
	c.cut.close = closing
	c.cut.err = errors.Join(c.cut.err, closing.err)
	if c.cut.kind == timed && c.cut.advance == 0 && c.cut.err == nil {
		c.cut.err = errNeverCloses
	}
	return c
}

// Aggregate folds each key and window into an A, in the named store. init and s are as in Cogrouped.Aggregate.
func (c WindowedCogrouped[K, A]) Aggregate(name string, s serde.Serde[A], init func() A, opts ...store.Option) Table[window.Key[K], A] {
	verb, s, cut := call("Aggregate", name), topics.Choose(s), c.cut
	h := c.c.handle(verb, s)
	d := cut.declare(h, verb, name, opts, c.c.pending, "pass one")
	folds := c.c.folds(verb, name, func(i int, step dsl.Step) *graph.Node {
		observed := cut.observed(name, i)
		step.Clocks = []string{observed}
		return c.c.joins[i].windowed(cut.step(step, d), s, init, c.merge, cut, observed)
	})
	key := cut.key(c.c.key)
	if len(folds) == 0 {
		return Table[window.Key[K], A](dsl.StoredWindows(dsl.On[window.Key[K], A](c.c.b, c.c.nodes[0], c.c.policy).WithKey(key).WithValue(s), d))
	}
	step := cut.step(dsl.Step{Call: verb, Kind: "cogroup", Name: name}, d)
	out := dsl.Gather(c.c.b, step, folds, c.c.policy, func(env graph.Env, n *graph.Node, next record.ChangeFn[window.Key[K], A]) *output[K, A] {
		return cut.open(env, n, d, next)
	})
	c.c.b.Copartition(out.Node(), c.c.nodes...)
	return Table[window.Key[K], A](dsl.StoredWindows(out.WithKey(key).WithValue(s), d))
}
