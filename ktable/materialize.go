package ktable

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// Materialize keeps the table in a store, to be queried, joined without recomputing, or grouped anew.
func (t Table[K, V]) Materialize(name string, opts ...store.Option) Table[K, V] {
	c := call("Materialize", name)
	spec := dsl.Declare(t.h(), c, name, opts, false, "call WithValueSerde")
	d := spec.Decl()
	step := dsl.Step{Call: c, Kind: "materialize", Name: name, Stores: []*decl.Store{d}}
	joined := t.t().Joined()
	if joined && d.NoCache {
		step.Old = graph.PassesOld
	}
	h := t.h().Change(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V]) record.ChangeFn[K, V] {
		keeper := dsl.NewKeeper(env, n, d, next)
		if joined { // Kafka Streams has a join forward the old value it joined, not the one it stored
			return func(m *record.Meta, k K, c record.Change[V]) { keeper.Update(m, k, c, m.Time) }
		}
		return func(m *record.Meta, k K, c record.Change[V]) {
			if c.HasNew {
				keeper.Put(m, k, c.New)
			} else {
				keeper.Delete(m, k)
			}
		}
	})
	return Table[K, V](dsl.Stored(h.WithValue(t.h().Value()), spec))
}
