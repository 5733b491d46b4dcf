package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/ktable"
)

// GroupByKey groups by the present key.
func (s Stream[K, V]) GroupByKey() ktable.Grouped[K, V] {
	s.h().NeedEqualKeys("GroupByKey")
	return ktable.Grouped[K, V](dsl.NewGrouped(s.h().Settled()))
}

// GroupBy groups by a new key, through the repartition topic <application id>-<name>-repartition. Deletions are dropped
// and counted. Fold the result several times to share the topic.
func (s Stream[K, V]) GroupBy[K2 any](name string, f func(K, V) K2) ktable.Grouped[K2, V] {
	c := call("GroupBy", name)
	h := s.h().Map(dsl.Step{Call: c, Kind: "select-key", NilFunc: f == nil}, selectKey(f)).WithValue(s.h().Value())
	return ktable.Grouped[K2, V](dsl.Regroup(h, c, name))
}
