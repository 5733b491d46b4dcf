package ktable

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Cogrouped is several grouped streams to be folded into one table: each has values of a type, and a fold, of its own.
// Grouped.Cogroup makes it. A stream that is added twice is folded in twice.
//
//	clicks ──► GroupByKey ──► Cogroup(addClick) ─┐
//	sales ───► GroupByKey ───────────────────────┴► And(addSale) ──► Aggregate
type Cogrouped[K, A any] struct {
	b       *graph.Builder
	key     serde.Serde[K] // of the first stream that has one
	pending bool           // a serde is missing that Build will ask for
	policy  topology.ErrorPolicy
	nodes   []*graph.Node // of the streams
	joins   []joins[K, A]
}

// joins adds the steps that fold one stream: into the rows of keys, or of windows, that the steps of all streams share.
type joins[K, A any] struct {
	plain    func(s dsl.Step, r serde.Serde[A], init func() A) *graph.Node
	windowed func(s dsl.Step, r serde.Serde[A], init func() A, merge func(K, A, A) A, c cut, observed string) *graph.Node
}

// Cogroup starts a table folded from several streams: add folds the values of this one. Call And for each of the others.
func (g Grouped[K, V]) Cogroup[A any](add func(K, V, A) A) Cogrouped[K, A] {
	return Cogrouped[K, A]{}.with(g, "Cogroup", add)
}

// And adds a stream, of any value type, with its own fold. Its records meet those of the other streams by key: their topics
// need equal numbers of partitions.
func (c Cogrouped[K, A]) And[V any](g Grouped[K, V], add func(K, V, A) A) Cogrouped[K, A] {
	if c.b != nil && !dsl.On[K, A](c.b, nil, nil).SameBuilder("And", g.g().Handle().Builder("And")) {
		return c
	}
	return c.with(g, "And", add)
}

func (c Cogrouped[K, A]) with[V any](g Grouped[K, V], call string, add func(K, V, A) A) Cogrouped[K, A] {
	h := g.g().Handle()
	b := h.Builder(call)
	if c.b == nil {
		c.b, c.policy = b, h.Policy()
	}
	if c.key == nil {
		c.key = h.Key()
	}
	c.pending = c.pending || g.g().Pending()
	c.nodes = append(c.nodes[:len(c.nodes):len(c.nodes)], h.Node())
	if add == nil {
		b.Report(graph.Caller(), call, errors.New("the function is nil: pass one"))
		return c
	}
	c.joins = append(c.joins[:len(c.joins):len(c.joins)], joins[K, A]{
		plain: func(s dsl.Step, r serde.Serde[A], init func() A) *graph.Node {
			return h.FoldInto(s, func(env graph.Env, n *graph.Node, keeper *dsl.Keeper[K, A]) record.Fn[K, V] {
				return newFolder(env, n, h, r, aggregating(r, init, add, nil)).rows(keeper)
			})
		},
		windowed: func(s dsl.Step, r serde.Serde[A], init func() A, merge func(K, A, A) A, c cut, observed string) *graph.Node {
			return h.FoldInto(s, func(env graph.Env, n *graph.Node, to *output[K, A]) record.Fn[K, V] {
				return c.fold(newFolder(env, n, h, r, aggregating(r, init, add, merge)), to, observed, nil)
			})
		},
	})
	return c
}

// Aggregate folds all streams into one table, in the named store. init makes the A of a key's first value; a nil init means
// the zero value. A nil s means the built-in serde of A. Records without a key or a value are dropped and counted.
func (c Cogrouped[K, A]) Aggregate(name string, s serde.Serde[A], init func() A, opts ...store.Option) Table[K, A] {
	call, s := call("Aggregate", name), topics.Choose(s)
	h := c.handle(call, s)
	spec := dsl.Declare(h, call, name, opts, c.pending, "pass one")
	d := spec.Decl()
	folds := c.folds(call, name, func(i int, step dsl.Step) *graph.Node {
		step.Stores, step.ByKey = []*decl.Store{d}, true
		return c.joins[i].plain(step, s, init)
	})
	if len(folds) == 0 {
		return Table[K, A](dsl.Stored(h, spec))
	}
	step := dsl.Step{Call: call, Kind: "cogroup", Name: name, Stores: []*decl.Store{d}}
	out := dsl.Gather(c.b, step, folds, c.policy, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) *dsl.Keeper[K, A] {
		return dsl.NewKeeper(env, n, d, next)
	})
	c.b.Copartition(out.Node(), c.nodes...)
	return Table[K, A](dsl.Stored(out.WithKey(c.key).WithValue(s), spec))
}

// folds adds the step of each stream.
func (c Cogrouped[K, A]) folds(call, name string, add func(i int, s dsl.Step) *graph.Node) []*graph.Node {
	var nodes []*graph.Node
	for i := range c.joins {
		nodes = append(nodes, add(i, dsl.Step{Call: call, Kind: "cogroup-fold", Name: fmt.Sprintf("%s-cogroup-%d", name, i)}))
	}
	return nodes
}

// handle returns a handle of the table's types on the first stream. It panics for a zero Cogrouped, on behalf of the call.
func (c Cogrouped[K, A]) handle(call string, s serde.Serde[A]) dsl.Handle[K, A] {
	if c.b == nil {
		panic(fmt.Sprintf("millrace: %s: %s is called on a Cogrouped without streams: begin with Grouped.Cogroup", graph.Caller(), call))
	}
	return dsl.On[K, A](c.b, c.nodes[0], c.policy).WithKey(c.key).WithValue(s)
}
