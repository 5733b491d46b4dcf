package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// Grouped is a stream grouped by key, waiting to be folded into a table. Streams make it: GroupByKey, GroupBy. It may be
// folded several times.
//
// Folds drop records without a key or without a value, and count them. A row's time is the highest of the records folded
// into it. WindowedBy and WindowedBySession cut the stream into windows first; Cogroup folds it together with others.
type Grouped[K, V any] dsl.Grouped[K, V]

func (g Grouped[K, V]) g() dsl.Grouped[K, V] { return dsl.Grouped[K, V](g) }

// WithSerdes sets both serdes: those of the repartition topic of a GroupBy and of the stores of the folds.
func (g Grouped[K, V]) WithSerdes(key serde.Serde[K], value serde.Serde[V]) Grouped[K, V] {
	return Grouped[K, V](g.g().WithKey(key).WithValue(value))
}

// WithKeySerde sets the serde of keys, after a GroupBy that changed their type.
func (g Grouped[K, V]) WithKeySerde(k serde.Serde[K]) Grouped[K, V] {
	return Grouped[K, V](g.g().WithKey(k))
}

// Count counts the records of each key in the named store.
func (g Grouped[K, V]) Count(name string, opts ...store.Option) Table[K, int64] {
	return g.fold(counting[K, V](), name, opts)
}

// Reduce folds the values of each key in the named store; the first value stands for itself. With a serde that has nulls
// (serde.Nullable), f deletes the row by returning one.
func (g Grouped[K, V]) Reduce(name string, f func(old, v V) V, opts ...store.Option) Table[K, V] {
	return g.fold(reducing[K](f, g.g().Handle().Value()), name, opts)
}

// Aggregate folds the values of each key into an A in the named store. init makes the A of a key's first value; a nil init
// means the zero value. A nil s means the built-in serde of A. With a serde that has nulls (serde.Nullable), add deletes
// the row by returning one. add may change and return the A it was given.
func (g Grouped[K, V]) Aggregate[A any](name string, s serde.Serde[A], init func() A, add func(K, V, A) A, opts ...store.Option) Table[K, A] {
	return g.fold(aggregating(s, init, add, nil), name, opts)
}

// counting is the fold of Count.
func counting[K, V any]() fold[K, V, int64] {
	return fold[K, V, int64]{
		verb: "Count", kind: "count", serde: serde.Int64,
		first: func() int64 { return 0 },
		add:   func(_ K, _ V, n int64, _ bool) int64 { return n + 1 },
		merge: func(_ K, a, b int64, _ bool) int64 { return a + b },
	}
}

// reducing is the fold of Reduce.
func reducing[K, V any](f func(old, v V) V, s serde.Serde[V]) fold[K, V, V] {
	reduce := func(_ K, v, old V, had bool) V {
		if !had {
			return v
		}
		return f(old, v)
	}
	return fold[K, V, V]{
		verb: "Reduce", kind: "reduce", serde: s, nilFunc: f == nil, remedy: "call WithSerdes",
		add:   reduce,
		merge: func(k K, a, b V, had bool) V { return reduce(k, b, a, had) },
	}
}

// aggregating is the fold of Aggregate. merge is needed for sessions only.
func aggregating[K, V, A any](s serde.Serde[A], init func() A, add func(K, V, A) A, merge func(k K, a, b A) A) fold[K, V, A] {
	if init == nil {
		init = func() (zero A) { return zero }
	}
	return fold[K, V, A]{
		verb: "Aggregate", kind: "aggregate", serde: s, nilFunc: add == nil, remedy: "pass one",
		first: init,
		add:   func(k K, v V, a A, _ bool) A { return add(k, v, a) },
		merge: func(k K, a, b A, _ bool) A { return merge(k, a, b) },
	}
}
