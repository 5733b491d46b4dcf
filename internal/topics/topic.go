package topics

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/serde"
)

// A Spec is what a program says about a topic. It is never changed once a Topic refers to it.
type Spec[K, V any] struct {
	Names   []string // the first is the one written to; all are read
	Pattern string   // instead of names
	Key     serde.Serde[K]
	Value   serde.Serde[V]
	Start   graph.Start

	// Time, Partition and Policy are pointers, which can be compared where functions cannot: two sources that share one are
	// set up alike.
	Time      *func(m record.Meta, k K, v V, latest int64) (at int64, ok bool) // latest: of its partition, -1 for none; not ok: dropped
	Partition *func(key K, value V, partitions int) int
	Policy    *any // of topology.ErrorPolicy; nil: Config's
}

// A Topic refers to a Spec. topology.Topic has it as underlying type.
type Topic[K, V any] struct{ spec *Spec[K, V] }

// New returns a reference to a copy of s.
func New[K, V any](s Spec[K, V]) Topic[K, V] { return Topic[K, V]{&s} }

// Spec returns what t refers to, never nil. It must not be changed.
func (t Topic[K, V]) Spec() *Spec[K, V] {
	if t.spec == nil {
		return &Spec[K, V]{}
	}
	return t.spec
}
