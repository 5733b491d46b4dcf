package kstream

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// Repartition sends the stream through a topic so that records of equal keys meet in one task, as grouping, joins and
// tables need after a verb that changed the key. The topic is called <application id>-<name>-repartition; Millrace makes
// it, and deletes what was processed. Records without a key are dropped and counted, unless a left join follows.
func (s Stream[K, V]) Repartition(name string, opts ...RepartitionOption) Stream[K, V] {
	c := call("Repartition", name)
	return Stream[K, V](s.h().Repartition(c, name, s.partitions(c, opts), nil, s.serdes(c)))
}

// RepartitionBy is Repartition with a partition chosen per record: partition must return a number from 0 to partitions-1,
// the same for equal keys if they are to meet.
func (s Stream[K, V]) RepartitionBy(name string, partition func(k K, v V, partitions int) int, opts ...RepartitionOption) Stream[K, V] {
	c := call("RepartitionBy", name)
	n := s.partitions(c, opts)
	if partition == nil {
		s.h().Builder(c).Report(graph.Caller(), c, fmt.Errorf("the function is nil: pass one, or call Repartition"))
	}
	return Stream[K, V](s.h().Repartition(c, name, n, &partition, s.serdes(c)))
}

// serdes are those of the stream, which must be known.
func (s Stream[K, V]) serdes(call string) *dsl.Serdes[K, V] {
	return &dsl.Serdes[K, V]{Key: s.h().NeedKey(call), Value: s.h().NeedValue(call)}
}

// RepartitionOption changes the topic of a Repartition.
type RepartitionOption struct{ partitions int }

// Partitions sets the number of partitions, which must be positive. Without it the topic has as many as the sources of the
// stream have at most, or as a join with other topics asks for.
func Partitions(n int) RepartitionOption { return RepartitionOption{n} }

func (s Stream[K, V]) partitions(call string, opts []RepartitionOption) int {
	n := 0
	for _, o := range opts {
		if n = o.partitions; n <= 0 {
			s.h().Builder(call).Report(graph.Caller(), call, fmt.Errorf("Partitions(%d): the number must be positive", n))
		}
	}
	return n
}

// AssumePartitioned states that records of equal keys are in one partition although the key was changed: say it where the
// new key decides the old one's partition, so that no Repartition is needed. If it is not so, results are wrong.
func (s Stream[K, V]) AssumePartitioned() Stream[K, V] { return Stream[K, V](s.h().Settled()) }
