package ktable

import (
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// A fold is what Count, Reduce and Aggregate differ in.
type fold[K, V, A any] struct {
	verb, kind string
	serde      serde.Serde[A]
	remedy     string // where there is no serde
	nilFunc    bool
	first      func() A                        // what a key without a row begins with; nil: nothing
	add        func(k K, v V, a A, had bool) A // a is the zero A unless had
	merge      func(k K, a, b A, had bool) A   // joins two sessions; a is the zero A unless had
}

// fold adds the step that reads the row of a record's key, folds the value into it, writes it and forwards the change.
func (g Grouped[K, V]) fold[A any](f fold[K, V, A], name string, opts []store.Option) Table[K, A] {
	c, h, s := call(f.verb, name), g.g().Handle(), topics.Choose(f.serde)
	spec := dsl.Declare(dsl.Retyped(h, s), c, name, opts, g.g().Pending(), f.remedy)
	d := spec.Decl()
	step := dsl.Step{Call: c, Kind: f.kind, Name: name, NilFunc: f.nilFunc, ByKey: true, Stores: []*decl.Store{d}}
	out := h.Fold(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) record.Fn[K, V] {
		return newFolder(env, n, h, s, f).rows(dsl.NewKeeper(env, n, d, next))
	})
	dsl.CopartitionSources(out)
	return Table[K, A](dsl.Stored(out.WithValue(s), spec))
}

// A folder folds the records of one stream in one task.
type folder[K, V, A any] struct {
	fold[K, V, A]
	env        graph.Env
	n          *graph.Node
	id         int32
	nullKey    func(K) bool // nil: no key is null
	nullValue  func(V) bool
	nullResult func(A) bool
	mutable    bool // an A can be changed in place by what it is given to
}

func newFolder[K, V, A any](env graph.Env, n *graph.Node, h dsl.Handle[K, V], s serde.Serde[A], f fold[K, V, A]) *folder[K, V, A] {
	return &folder[K, V, A]{
		fold: f, env: env, n: n, id: int32(n.ID),
		nullKey: topics.Null(h.Key()), nullValue: topics.Null(h.Value()), nullResult: topics.Null(s),
		mutable: mutable(reflect.TypeFor[A]()),
	}
}

// rows makes the function that folds records into the row of their key.
func (f *folder[K, V, A]) rows(keeper *dsl.Keeper[K, A]) record.Fn[K, V] {
	reread := keeper.NeedsOld() && f.mutable
	return func(m *record.Meta, k K, v V) {
		if f.keyless(m, k) || f.valueless(m, v) {
			return
		}
		old, time, stored := keeper.Get(k)
		had := stored
		if !stored {
			old, had = f.begin(m)
		}
		a, has := f.fold1(m, k, v, old, had)
		switch { // add may have changed the old value in place
		case reread && stored:
			old, _, _ = keeper.Get(k)
		case reread:
			old, _ = f.begin(m)
		}
		// As in Kafka Streams, a row that was not there is said to have been what it began with.
		keeper.Update(m, k, record.Change[A]{Old: old, New: a, HasOld: had, HasNew: has}, max(m.Time, time))
	}
}

// keyless drops a record without a key.
func (f *folder[K, V, A]) keyless(m *record.Meta, k K) bool {
	m.Node = f.id
	if m.NoKey || f.nullKey != nil && f.nullKey(k) {
		f.env.Drop(f.n, dsl.NullKey)
		return true
	}
	return false
}

// valueless drops a record without a value.
func (f *folder[K, V, A]) valueless(m *record.Meta, v V) bool {
	if m.NoValue || f.nullValue != nil && f.nullValue(v) {
		f.env.Drop(f.n, dsl.NullValue)
		return true
	}
	return false
}

// begin returns what a key without a row begins with, if anything.
func (f *folder[K, V, A]) begin(m *record.Meta) (a A, has bool) {
	if f.first == nil {
		return a, false
	}
	m.Node = f.id
	a = f.first()
	return a, !f.null(a)
}

// fold1 folds a value into an aggregate; has is false if the result is null.
func (f *folder[K, V, A]) fold1(m *record.Meta, k K, v V, a A, had bool) (_ A, has bool) {
	m.Node = f.id
	a = f.add(k, v, a, had)
	return a, !f.null(a)
}

func (f *folder[K, V, A]) null(a A) bool { return f.nullResult != nil && f.nullResult(a) }

// mutable reports whether a value of t can be changed through a copy of it.
func mutable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Array:
		return mutable(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if mutable(f.Type) {
				return true
			}
		}
	}
	return false
}
