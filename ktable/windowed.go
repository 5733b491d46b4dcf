package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// Windowed is a grouped stream cut into windows. Grouped.WindowedBy makes it. It may be folded several times.
//
// A record that comes after its window is closed is dropped and counted as late, once for each such window; LateTo keeps it
// from being lost. Windows close by the event time of the step that folds: the highest of the records it has seen, whatever
// their keys. It is committed with the offsets, so that what was late stays late after a restart. Records without a value
// are dropped and counted too; with a serde that has nulls (serde.Nullable) they are folded in, but for sliding windows.
//
// The result is a table with a row per key and window. Its topics take window.KeySerde of the same size (of sliding windows:
// their time difference), which is what it brings itself. Stores keep windows for their size and grace, or
// store.Retention; older ones are not found any more.
type Windowed[K, V any] struct {
	g     dsl.Grouped[K, V]
	rule  window.Windows
	close *closing
	late  *dsl.Target[K, V]
}

// WindowedBy folds each tumbling, hopping, sliding or unlimited window on its own.
func (g Grouped[K, V]) WindowedBy(w window.Windows) Windowed[K, V] {
	return Windowed[K, V]{g: g.g(), rule: w}
}

// EmitOnClose sends one result per window, when it is closed, instead of updates: when a record has moved the event time of
// the step past its end and grace. The results of windows that close together are ordered by start and key, and have the
// headers of that record. On quiet input nothing closes.
func (w Windowed[K, V]) EmitOnClose(opts ...EmitOption) Windowed[K, V] {
	w.close = newClosing(opts)
	return w
}

// LateTo writes records that come too late for a window to a topic, once each, as they are: to be counted, corrected or
// kept. They are counted as dropped all the same. Read the topic to process them further.
func (w Windowed[K, V]) LateTo(t topology.Topic[K, V]) Windowed[K, V] {
	to := dsl.Aim(w.g.Handle(), t, "LateTo")
	w.late = &to
	return w
}

// Count counts the records of each key and window in the named store.
func (w Windowed[K, V]) Count(name string, opts ...store.Option) Table[window.Key[K], int64] {
	return windowedFold(w.g, cutBy(w.rule, w.close), w.late, counting[K, V](), name, opts)
}

// Reduce folds the values of each key and window with f, in the named store; the first value stands for itself. With a
// serde that has nulls (serde.Nullable), f deletes the row by returning one.
func (w Windowed[K, V]) Reduce(name string, f func(old, v V) V, opts ...store.Option) Table[window.Key[K], V] {
	return windowedFold(w.g, cutBy(w.rule, w.close), w.late, reducing[K](f, w.g.Handle().Value()), name, opts)
}

// Aggregate folds the values of each key and window into an A, in the named store. init, s and add are as in
// Grouped.Aggregate.
func (w Windowed[K, V]) Aggregate[A any](name string, s serde.Serde[A], init func() A, add func(K, V, A) A, opts ...store.Option) Table[window.Key[K], A] {
	return windowedFold(w.g, cutBy(w.rule, w.close), w.late, aggregating(s, init, add, nil), name, opts)
}

// windowedFold adds the step that folds records into the rows of windows.
func windowedFold[K, V, A any](g dsl.Grouped[K, V], c cut, late *dsl.Target[K, V], f fold[K, V, A], name string, opts []store.Option) Table[window.Key[K], A] {
	verb, h, s := call(f.verb, name), g.Handle(), topics.Choose(f.serde)
	d := c.declare(dsl.Retyped(h, s), verb, name, opts, g.Pending(), f.remedy)
	observed := c.observed(name, 0)
	step := c.step(dsl.Step{Call: verb, Kind: f.kind, Name: name, NilFunc: f.nilFunc, Clocks: []string{observed}}, d)
	out := h.FoldTo(step, late, func(env graph.Env, n *graph.Node, next record.ChangeFn[window.Key[K], A], refused record.Fn[K, V]) record.Fn[K, V] {
		return c.fold(newFolder(env, n, h, s, f), c.open(env, n, d, next), observed, refused)
	})
	dsl.CopartitionSources(out)
	return Table[window.Key[K], A](dsl.StoredWindows(out.WithKey(c.key(h.Key())).WithValue(s), d))
}
