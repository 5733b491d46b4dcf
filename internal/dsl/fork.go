package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// FoldTo adds a step from a stream to a table of other keys. Records that the step refuses go to refused, unless side is
// nil: then refused is nil.
func (h Handle[K, V]) FoldTo[K2, A any](s Step, side *Target[K, V], wire func(env graph.Env, n *graph.Node, next record.ChangeFn[K2, A], refused record.Fn[K, V]) record.Fn[K, V]) Handle[K2, A] {
	n := add(h, s, fork[K, V, K2, A](side != nil), func(env graph.Env, n *graph.Node, down forked[K, V, K2, A]) record.Fn[K, V] {
		return wire(env, n, down.next, down.refused)
	})
	if side != nil {
		from := Handle[K, V]{b: h.b, n: n, policy: h.policy}
		sink := from.End(Step{Call: s.Call, Kind: "sink"}, side.Send)
		sink.Topics, sink.Side = side.Topics(), true
	}
	return Handle[K2, A]{b: h.b, n: n, policy: h.policy}
}

// forked is what is behind a step that refuses records.
type forked[K, V, K2, A any] struct {
	next    record.ChangeFn[K2, A]
	refused record.Fn[K, V]
}

// fork makes one function of those of the children: the first of which takes what is refused, if sided.
func fork[K, V, K2, A any](sided bool) func(downs []any) any {
	return func(downs []any) any {
		var f forked[K, V, K2, A]
		if sided {
			f.refused = downs[0].(record.Fn[K, V])
			downs = downs[1:]
		}
		f.next = FanChanges[K2, A](downs).(record.ChangeFn[K2, A])
		return f
	}
}

// FoldInto adds a step from a stream that folds into a table which several steps fold into: Gather adds the one behind
// them, and to is what that one hands to them.
func (h Handle[K, V]) FoldInto[X any](s Step, wire func(env graph.Env, n *graph.Node, to X) record.Fn[K, V]) *graph.Node {
	return add(h, s, func(downs []any) any { return downs[0] }, wire)
}

// Gather adds the step behind several that fold into one table, which forwards its changes. wire makes what the folds of a
// task share.
func Gather[K, A, X any](b *graph.Builder, s Step, folds []*graph.Node, policy topology.ErrorPolicy, wire func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) X) Handle[K, A] {
	first := Handle[K, A]{b: b, n: folds[0], policy: policy}
	n := add(first, s, FanChanges[K, A], wire)
	for _, f := range folds[1:] {
		n.AddParent(f)
	}
	return Handle[K, A]{b: b, n: n, policy: policy}
}

// Policy returns the error policy of verbs called on the handle, nil for the source topic's.
func (h Handle[K, V]) Policy() topology.ErrorPolicy { return h.policy }

// listened reports whether somebody takes the output of a node.
func listened(n *graph.Node) bool {
	for _, c := range n.Children {
		if !c.Side {
			return true
		}
	}
	return false
}

// On returns the handle on the output of a node of any types: for what is declared before its own node is there.
func On[K, V any](b *graph.Builder, n *graph.Node, policy topology.ErrorPolicy) Handle[K, V] {
	return Handle[K, V]{b: b, n: n, policy: policy}
}
