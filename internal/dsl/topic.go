package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/serde"
)

// A TopicSpec is what a program says about a topic. It is never changed once a Topic refers to it.
type TopicSpec[K, V any] struct {
	Names   []string // the first is the one written to; all are read
	Pattern string   // instead of names
	Key     serde.Serde[K]
	Value   serde.Serde[V]
	Start   graph.Start
	// Time and Partition are pointers to functions, which can be compared: two sources that share one are the same.
	Time      *func(m *record.Meta, k K, v V) int64
	Partition *func(key K, value V, partitions int) int
	Policy    any // topology.ErrorPolicy; nil: Config's
	PolicyID  *int
}

// A Topic refers to a TopicSpec. topology.Topic has it as underlying type.
type Topic[K, V any] struct{ spec *TopicSpec[K, V] }

// NewTopic returns a reference to a copy of s.
func NewTopic[K, V any](s TopicSpec[K, V]) Topic[K, V] { return Topic[K, V]{&s} }

// Spec returns what t refers to, never nil. It must not be changed.
func (t Topic[K, V]) Spec() *TopicSpec[K, V] {
	if t.spec == nil {
		return &TopicSpec[K, V]{}
	}
	return t.spec
}
