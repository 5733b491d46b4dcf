package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// OutOfOrder is why a join of tables drops a change of a versioned table: a newer version of the row is there.
const OutOfOrder = "out-of-order"

// InOrder returns f for the changes of a table at node n that joins it with another table: of a versioned table without
// those that are not of the newest version of their row (KIP-914).
func (t Table[K, V]) InOrder(env graph.Env, n *graph.Node, f record.ChangeFn[K, V]) record.ChangeFn[K, V] {
	if !t.Versioned() {
		return f
	}
	return func(m *record.Meta, k K, c record.Change[V]) {
		if c.Stale {
			env.Drop(n, OutOfOrder)
			return
		}
		f(m, k, c)
	}
}
