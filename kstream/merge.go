package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Merge returns the records of all streams, in no order between them. The result has the serdes of s.
func (s Stream[K, V]) Merge(others ...Stream[K, V]) Stream[K, V] {
	h := s.h().Pass(dsl.Step{Call: "Merge", Kind: "merge"}, func(_ graph.Env, _ *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		return next
	})
	for _, o := range others {
		if h.SameBuilder("Merge", o.h().Builder("Merge")) {
			h.Node().AddParent(o.h().Node())
			h = h.MovedLike(o.h().Moved())
		}
	}
	return Stream[K, V](h)
}
