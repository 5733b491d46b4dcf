package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/serde"
)

// Reasons for which records are dropped, as they are counted.
const (
	NullKey   = "null-key"
	NullValue = "null-value"
	Late      = "late"                    // for its window, by the event time of the step
	NullRoute = "null-key-to-repartition" // Kafka Streams filters these without counting
)

// Serdes are those of a repartition topic. Both ends look at them when a task is wired, so that a grouping may still be
// told its serde after its topic was declared.
type Serdes[K, V any] struct {
	Key   serde.Serde[K]
	Value serde.Serde[V]
}

// Repartition sends a stream through an internal topic: a sink, and a source that belongs to another subtopology. Its
// records have equal keys in one task, unless by says otherwise. partitions is 0 for as many as the sources upstream.
func (h Handle[K, V]) Repartition(call, name string, partitions int, by *func(key K, value V, partitions int) int, serdes *Serdes[K, V]) Handle[K, V] {
	b, at := h.Builder(call), graph.Caller()
	topic := &graph.Topic{Name: name, Repartition: true, Partitions: partitions, At: at}
	read := &graph.Node{
		Kind: "source", Name: name + "-repartition-source", Call: call, At: at,
		Topics: []*graph.Topic{topic}, Source: &graph.Source{}, Fan: Fan[K, V],
	}
	sink := h.End(Step{Call: call, Kind: "sink", Name: name + "-repartition-sink"}, func(env graph.Env, n *graph.Node) record.Fn[K, V] {
		to := Target[K, V]{topic, serdes.Key, serdes.Value, by}
		return to.sendKeyed(env, n, wantsNullKeys(read))
	})
	sink.Topics = read.Topics
	read.Source.Wire = func(env graph.Env, down any) func(m *record.Meta, in *record.In) {
		return decoder(env, read, serdes.Key, serdes.Value, down.(record.Fn[K, V]))
	}
	b.Add(read)
	return Handle[K, V]{b: b, n: read, key: serdes.Key, value: serdes.Value, policy: h.policy}
}

// sendKeyed is Send that drops records without a key, as Kafka Streams does before a repartition topic: nothing behind it
// could make use of them, except a left join.
func (to Target[K, V]) sendKeyed(env graph.Env, n *graph.Node, nullKeys bool) record.Fn[K, V] {
	w := NewWriter(env, n, to.Topic.Full(env.ApplicationID()), to.Key, to.Value, to.Partition)
	if nullKeys {
		return w.Write
	}
	return func(m *record.Meta, k K, v V) {
		if w.NullKey(m, k) {
			env.Drop(n, NullRoute)
			return
		}
		w.Write(m, k, v)
	}
}

// wantsNullKeys reports whether a step behind a repartition topic takes records without a key.
func wantsNullKeys(n *graph.Node) bool {
	for _, c := range n.Children {
		if c.NullKeys || wantsNullKeys(c) {
			return true
		}
	}
	return false
}
