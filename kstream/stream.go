package kstream

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// Stream is an unbounded sequence of keyed records. It is a small value: keep it, copy it, use it as often as needed;
// each verb called on it gets every record.
type Stream[K, V any] dsl.Handle[K, V]

func (s Stream[K, V]) h() dsl.Handle[K, V] { return dsl.Handle[K, V](s) }

// From reads a topic, or all topics that the topic stands for, as a stream. Reading a topic twice with the same settings
// reads it once, for both.
func From[K, V any](b *topology.Builder, t topology.Topic[K, V]) Stream[K, V] {
	return Stream[K, V](dsl.Source((*graph.Builder)(b), t, "From"))
}

// Then returns f(s), so that a chain can go through a function of your own:
//
//	s.Then(NonEmpty).To(topic)
func (s Stream[K, V]) Then[R any](f func(Stream[K, V]) R) R { return f(s) }

// WithSerdes sets both serdes, after verbs that changed both types. A serde is needed where bytes are: at topics, stores
// and repartitions.
func (s Stream[K, V]) WithSerdes(key serde.Serde[K], value serde.Serde[V]) Stream[K, V] {
	return Stream[K, V](s.h().WithKey(key).WithValue(value))
}

// WithKeySerde sets the serde of keys, after a verb that changed their type.
func (s Stream[K, V]) WithKeySerde(k serde.Serde[K]) Stream[K, V] {
	return Stream[K, V](s.h().WithKey(k))
}

// WithValueSerde sets the serde of values, after a verb that changed their type.
func (s Stream[K, V]) WithValueSerde(v serde.Serde[V]) Stream[K, V] {
	return Stream[K, V](s.h().WithValue(v))
}

// OnError sets the error policy of the verbs called on the result, and on what follows from it. Nil goes back to that of
// the source topic.
func (s Stream[K, V]) OnError(p topology.ErrorPolicy) Stream[K, V] {
	return Stream[K, V](s.h().WithPolicy(p))
}

// As names the last step in descriptions, metrics and errors. Names are unique in a topology.
func (s Stream[K, V]) As(name string) Stream[K, V] { return Stream[K, V](s.h().Named(name)) }

// call is a verb with the name it was given, as errors show it.
func call(verb, name string) string { return fmt.Sprintf("%s(%q)", verb, name) }
