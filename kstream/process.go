package kstream

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/proc"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Process runs a processor, with the stores it uses; two processors that use one store run in the same task. The
// processor sees deletions and records without a key. Before records of equal keys can meet, the result must go through
// Repartition; ProcessValues keeps the key and needs none.
func (s Stream[K, V]) Process[K2, V2 any](name string, setup topology.Setup[K, V, K2, V2], stores ...store.Spec) Stream[K2, V2] {
	c := call("Process", name)
	step := dsl.Step{Call: c, Kind: "process", Name: name, NilFunc: setup == nil, Stores: s.decls(c, stores)}
	s.named(c, name)
	return Stream[K2, V2](s.h().Route(step, func(env graph.Env, n *graph.Node, ends dsl.Ends[K2, V2]) record.Fn[K, V] {
		id, hand := int32(n.ID), proc.NewHand(n)
		out := proc.NewOut(env.Meta(), hand, ends.All).With(ends)
		handle := setup((*topology.Task)(proc.NewTask(env, n, hand)), topology.Out[K2, V2](out))
		if handle == nil {
			record.Fail(id, errors.New("kstream: the processor's setup returned a nil Handler"))
		}
		ctx := env.Context()
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			hand.Take()
			if err := handle(ctx, whole(m, k, v)); err != nil {
				record.Fail(id, err)
			}
		}
	}))
}

// ProcessValues runs a processor that keeps the key: no repartition follows.
func (s Stream[K, V]) ProcessValues[V2 any](name string, setup topology.ValueSetup[K, V, V2], stores ...store.Spec) Stream[K, V2] {
	c := call("ProcessValues", name)
	step := dsl.Step{Call: c, Kind: "process-values", Name: name, NilFunc: setup == nil, Stores: s.decls(c, stores)}
	s.named(c, name)
	return Stream[K, V2](s.h().MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id, m, hand := int32(n.ID), env.Meta(), proc.NewHand(n)
		var key K // in hand
		out := proc.NewOutValue(m, hand, func(v V2) { next(m, key, v) })
		handle := setup((*topology.Task)(proc.NewTask(env, n, hand)), topology.OutValue[V2](out))
		if handle == nil {
			record.Fail(id, errors.New("kstream: the processor's setup returned a nil Handler"))
		}
		ctx := env.Context()
		return func(m *record.Meta, k K, v V) {
			m.Node, key = id, k
			hand.Take()
			if err := handle(ctx, whole(m, k, v)); err != nil {
				record.Fail(id, err)
			}
		}
	}))
}

// named reports a processor without a name.
func (s Stream[K, V]) named(call, name string) {
	if name == "" {
		s.h().Builder(call).Report(graph.Caller(), call, errors.New("the name is empty: give the processor one"))
	}
}

func (s Stream[K, V]) decls(call string, specs []store.Spec) []*decl.Store {
	var stores []*decl.Store
	for _, spec := range specs {
		if spec == nil || spec.Decl() == nil {
			s.h().Builder(call).Report(graph.Caller(), call, errors.New("a store is nil or the zero spec: make it with store.NewKeyValue, or Materialize the table it is of"))
			continue
		}
		stores = append(stores, spec.Decl())
	}
	return stores
}
