package kstream

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// JoinStream joins records of equal key whose times lie within w. Each side is kept for the size of the window and its
// grace, in stores called <name>-this-join-store and <name>-other-join-store; each pair is sent once, when its second record is
// processed, with the later of the two times and the headers of that record. Records without a key, and deletions, are
// dropped and counted. Joining a stream with itself sees each record twice: see JoinSelf.
//
// Of the options, store.InMemory, store.NoChangelog and store.TopicConfig apply.
func (s Stream[K, V]) JoinStream[V2, R any](name string, other Stream[K, V2], w window.JoinWindows, join func(V, V2) R, opts ...store.Option) Stream[K, R] {
	j := streamJoin[K, V, V2, R]{
		step: dsl.Step{Call: call("JoinStream", name), Kind: "join-stream", Name: name, NilFunc: join == nil},
		name: name, windows: w, opts: opts, this: "-this-join-store", other: "-other-join-store",
		join: func(v V, _ bool, v2 V2, _ bool) R { return join(v, v2) },
	}
	return j.add(s, other)
}

// LeftJoinStream is JoinStream that also sends records of s that found no partner, once their window and its grace are over;
// ok reports a partner. They wait in a store called <name>-left-shared-join-store, and are sent with their own time, when a
// record of either side moves time on. A record of s that comes when its window is over already is sent at once if it meets
// none, and joined nevertheless with what still comes within the grace; one without a key joins nothing and is sent at once.
func (s Stream[K, V]) LeftJoinStream[V2, R any](name string, other Stream[K, V2], w window.JoinWindows, join func(v V, v2 V2, ok bool) R, opts ...store.Option) Stream[K, R] {
	j := streamJoin[K, V, V2, R]{
		step: dsl.Step{Call: call("LeftJoinStream", name), Kind: "left-join-stream", Name: name, NilFunc: join == nil, NullKeys: true},
		name: name, windows: w, opts: opts, this: "-this-join-store", other: "-outer-other-join-store", shared: "-left-shared-join-store",
		leftOuter: true,
		join:      func(v V, _ bool, v2 V2, ok bool) R { return join(v, v2, ok) },
	}
	return j.add(s, other)
}

// OuterJoinStream is JoinStream that also sends records of either side that found no partner, as LeftJoinStream does for one.
// At least one of ok and ok2 is true. The store is called <name>-outer-shared-join-store.
func (s Stream[K, V]) OuterJoinStream[V2, R any](name string, other Stream[K, V2], w window.JoinWindows, join func(v V, ok bool, v2 V2, ok2 bool) R, opts ...store.Option) Stream[K, R] {
	j := streamJoin[K, V, V2, R]{
		step: dsl.Step{Call: call("OuterJoinStream", name), Kind: "outer-join-stream", Name: name, NilFunc: join == nil, NullKeys: true},
		name: name, windows: w, opts: opts, this: "-outer-this-join-store", other: "-outer-other-join-store", shared: "-outer-shared-join-store",
		leftOuter: true, rightOuter: true, join: join,
	}
	return j.add(s, other)
}

// A streamJoin is a join of two streams as the program says it.
type streamJoin[K, L, R, Out any] struct {
	step                  dsl.Step
	name                  string
	windows               window.JoinWindows
	opts                  []store.Option
	this, other, shared   string // ends of the stores' names; shared "": none
	leftOuter, rightOuter bool
	join                  func(l L, lok bool, r R, rok bool) Out
}

func (j streamJoin[K, L, R, Out]) add(left Stream[K, L], right Stream[K, R]) Stream[K, Out] {
	c, h, o := j.step.Call, left.h(), right.h()
	h.NeedEqualKeys(c)
	o.NeedEqualKeys(c)
	if !h.SameBuilder(c, o.Builder(c)) {
		return Stream[K, Out](h.MapValues(j.step, func(graph.Env, *graph.Node, record.Fn[K, Out]) record.Fn[K, L] { return nil }))
	}
	if err := j.windows.Err(); err != nil {
		h.Builder(c).Report(graph.Caller(), c, err)
		j.windows = window.Within(0)
	}
	k, l, r := h.NeedKey(c), h.NeedValue(c), o.NeedValue(c)
	b := bounds(j.windows)
	this, other := b.keeps(j.name+j.this, k, l, j.opts), b.keeps(j.name+j.other, k, r, j.opts)
	j.step.Stores = []*decl.Store{this, other}
	var shared *decl.Store
	if j.shared != "" {
		shared = joinStore(decl.Store{Name: j.name + j.shared, Kind: decl.KeyValue, Key: k, Value: l}, j.opts)
		j.step.Stores = append(j.step.Stores, shared)
		j.step.Clocks = []string{rows.StoreClock(shared), earliestClock(shared)}
	}
	out := dsl.Pair(j.step, h, o, func(env graph.Env, n *graph.Node, next record.Fn[K, Out]) dsl.Sides[K, L, R] {
		return j.wire(env, n, next, b, this, other, shared, k, r)
	})
	dsl.CopartitionSources(out)
	return Stream[K, Out](out)
}

// joinBounds are the windows of a join in milliseconds.
type joinBounds struct {
	before, after, grace, every int64
	size, keep                  int64 // before + after, and with the grace
	windows                     window.JoinWindows
}

func bounds(w window.JoinWindows) joinBounds {
	before, after, grace := w.Bounds()
	b := joinBounds{before: before.Milliseconds(), after: after.Milliseconds(), grace: grace.Milliseconds(), every: w.Interval().Milliseconds(), windows: w}
	b.size = b.before + b.after
	b.keep = b.size + b.grace
	return b
}

// keeps declares the store of one side.
func (b joinBounds) keeps[K, V any](name string, key serde.Serde[K], value serde.Serde[V], opts []store.Option) *decl.Store {
	before, after, grace := b.windows.Bounds()
	return joinStore(decl.Store{
		Name: name, Kind: decl.Window, Duplicates: true, Key: key, Value: value,
		Size: before + after, Retention: before + after + grace,
	}, opts)
}

// joinStore applies the options of a join to one of its stores. What windows a join needs is said by the join.
func joinStore(d decl.Store, opts []store.Option) *decl.Store {
	d.At = graph.Caller()
	d.NoCache = true // they forward nothing; Kafka Streams has no caches over them either
	retention := d.Retention
	for _, o := range opts {
		o.Apply(&d)
	}
	if d.LRU != 0 || d.TTL != 0 || d.History != 0 || d.Retention != retention {
		d.Err = fmt.Errorf("store %q: of the options of stores, a join of streams takes InMemory, NoChangelog and TopicConfig: how long it keeps records follows from its windows", d.Name)
	}
	return &d
}
