package ktable

import (
	"errors"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/proc"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// ProcessValues runs a processor over the changes of the table, with the stores it uses. It gets the new row of a key, and a
// deletion as a record without a value. What it sends is the new row of the same key in the result; a deletion is a
// SendDelete, and a key it sends nothing for stays as it is there.
//
// The result holds no rows, and does not know what a row was before: Materialize it to look it up, group or join it.
func (t Table[K, V]) ProcessValues[V2 any](name string, setup topology.ValueSetup[K, V, V2], stores ...store.Spec) Table[K, V2] {
	c, h := call("ProcessValues", name), t.h()
	report := func(err error) { h.Builder(c).Report(graph.Caller(), c, err) }
	if name == "" {
		report(errors.New("the name is empty: give the processor one"))
	}
	step := dsl.Step{Call: c, Kind: "process-values", Name: name, NilFunc: setup == nil, Stores: make([]*decl.Store, 0, len(stores))}
	for _, s := range stores {
		if s == nil || s.Decl() == nil {
			report(errors.New("a store is nil or the zero spec: make it with store.NewKeyValue, or Materialize the table it is of"))
			continue
		}
		step.Stores = append(step.Stores, s.Decl())
	}
	return Table[K, V2](dsl.Passing(h.Change(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V2]) record.ChangeFn[K, V] {
		id, m, hand := int32(n.ID), env.Meta(), proc.NewHand(n)
		var key K // in hand
		out := proc.NewOutValue(m, hand, func(v V2) {
			next(m, key, record.Change[V2]{New: v, HasNew: !m.NoValue})
		})
		handle := setup((*topology.Task)(proc.NewTask(env, n, hand)), topology.OutValue[V2](out))
		if handle == nil {
			record.Fail(id, errors.New("ktable: the processor's setup returned a nil Handler"))
		}
		ctx := env.Context()
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.Node, key = id, k
			hand.Take()
			r := topology.Record[K, V]{Key: k, Value: c.New, Time: time.UnixMilli(m.Time), Headers: m.Headers}
			if !c.HasNew {
				r = r.WithoutValue()
			}
			if err := handle(ctx, r); err != nil {
				record.Fail(id, err)
			}
		}
	})))
}
