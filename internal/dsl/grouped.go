package dsl

import (
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/serde"
)

// A Grouped is a stream whose records of equal keys are in one task. ktable.Grouped has it as underlying type.
type Grouped[K, V any] struct {
	h      Handle[K, V]
	serdes *Serdes[K, V] // of the repartition topic that was declared for the grouping; nil if there is none
	call   string        // that declared it
}

// NewGrouped groups a stream by the key it has.
func NewGrouped[K, V any](h Handle[K, V]) Grouped[K, V] { return Grouped[K, V]{h: h} }

// Regroup groups a stream, whose key was changed, through a repartition topic. A serde that is not known yet may be given
// to the result; Build reports it if not.
func Regroup[K, V any](h Handle[K, V], call, name string) Grouped[K, V] {
	s, at := &Serdes[K, V]{h.Key(), h.Value()}, graph.Caller()
	h.Builder(call).Later(func() []graph.Problem {
		var ps []graph.Problem
		if s.Key == nil {
			ps = append(ps, graph.Problem{At: at, Node: call, Err: fmt.Errorf("no serde for key type %v: call WithKeySerde on the result", reflect.TypeFor[K]())})
		}
		if s.Value == nil {
			ps = append(ps, graph.Problem{At: at, Node: call, Err: fmt.Errorf("no serde for value type %v: call WithValueSerde before it", reflect.TypeFor[V]())})
		}
		return ps
	})
	return Grouped[K, V]{h.Repartition(call, name, 0, nil, s), s, call}
}

// Handle returns the stream.
func (g Grouped[K, V]) Handle() Handle[K, V] { return g.h }

// Pending reports whether a serde is missing that Build will ask for, so that nobody else needs to.
func (g Grouped[K, V]) Pending() bool {
	return g.serdes != nil && (g.serdes.Key == nil || g.serdes.Value == nil)
}

// WithKey returns the grouping with a serde of keys, which becomes the repartition topic's if that has none.
func (g Grouped[K, V]) WithKey(s serde.Serde[K]) Grouped[K, V] {
	g.h = g.h.WithKey(s)
	if g.serdes != nil {
		g.serdes.Key = settle(g.h.b, g.call, "key", g.serdes.Key, s)
	}
	return g
}

// WithValue returns the grouping with a serde of values, which becomes the repartition topic's if that has none.
func (g Grouped[K, V]) WithValue(s serde.Serde[V]) Grouped[K, V] {
	g.h = g.h.WithValue(s)
	if g.serdes != nil {
		g.serdes.Value = settle(g.h.b, g.call, "value", g.serdes.Value, s)
	}
	return g
}

// settle returns the serde of a topic that has one, or none yet, and is told another. A topic has one format.
func settle[T any](b *graph.Builder, call, half string, has, told serde.Serde[T]) serde.Serde[T] {
	if has != nil && told != nil && !sameSerde(has, told) {
		b.Report(graph.Caller(), call, fmt.Errorf("the repartition topic has a %s serde already: give it another one before %s", half, call))
	}
	if has != nil || told == nil {
		return has
	}
	return told
}
