package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Sides are the two functions that a step with two inputs of different types is wired to.
type Sides[K, L, R any] struct {
	Left  record.Fn[K, L]
	Right record.Fn[K, R]
}

// Pair adds a step behind two streams: what wire makes of one task takes the records of both. Since nodes pass on to one
// function, a step that does nothing but choose the side stands behind each stream.
//
//	left ──► left step ──┐
//	                     ├──► step ──►
//	right ─► right step ─┘
func Pair[K, L, R, Out any](s Step, left Handle[K, L], right Handle[K, R], wire func(env graph.Env, n *graph.Node, next record.Fn[K, Out]) Sides[K, L, R]) Handle[K, Out] {
	only := func(downs []any) any { return downs[0] }
	a := add(left, Step{Call: s.Call, Kind: s.Kind + "-left", NullKeys: s.NullKeys}, only,
		func(_ graph.Env, _ *graph.Node, next Sides[K, L, R]) record.Fn[K, L] { return next.Left })
	b := add(right, Step{Call: s.Call, Kind: s.Kind + "-right", NullKeys: s.NullKeys}, only,
		func(_ graph.Env, _ *graph.Node, next Sides[K, L, R]) record.Fn[K, R] { return next.Right })
	n := add(Handle[K, L]{b: left.b, n: a, policy: left.policy}, s, Fan[K, Out], wire)
	n.AddParent(b)
	return Handle[K, Out]{b: left.b, n: n, key: left.key, policy: left.policy}
}
