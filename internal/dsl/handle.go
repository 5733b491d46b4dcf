package dsl

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A Handle is the output of a node, with what verbs need to know of it: a small value that is copied, kept and used as
// often as wanted. kstream.Stream has it as underlying type; Table and Grouped hold one.
type Handle[K, V any] struct {
	b      *graph.Builder
	n      *graph.Node
	key    serde.Serde[K] // nil: the built-in one of the type, if there is one
	value  serde.Serde[V]
	moved  string               // file:line of the verb that changed the key since the last repartitioning; "": equal keys are in one task
	policy topology.ErrorPolicy // of the verbs called on the handle; nil: the source topic's
}

// Builder returns what the handle belongs to. It panics for a zero handle, on behalf of the named call.
func (h Handle[K, V]) Builder(call string) *graph.Builder {
	if h.b == nil {
		panic(fmt.Sprintf("millrace: %s: %s is called on a zero handle: begin with kstream.From or ktable.From", graph.Caller(), call))
	}
	return h.b
}

// Node returns the node whose output the handle is.
func (h Handle[K, V]) Node() *graph.Node { return h.n }

// Key returns the serde of keys: the one that rides on the handle, or the built-in one, or nil.
func (h Handle[K, V]) Key() serde.Serde[K] { return topics.Choose(h.key) }

// Value returns the serde of values: the one that rides on the handle, or the built-in one, or nil.
func (h Handle[K, V]) Value() serde.Serde[V] { return topics.Choose(h.value) }

// WithKey returns the handle with a serde of keys.
func (h Handle[K, V]) WithKey(s serde.Serde[K]) Handle[K, V] { h.key = s; return h }

// WithValue returns the handle with a serde of values.
func (h Handle[K, V]) WithValue(s serde.Serde[V]) Handle[K, V] { h.value = s; return h }

// WithPolicy returns the handle with an error policy for the verbs called on it.
func (h Handle[K, V]) WithPolicy(p topology.ErrorPolicy) Handle[K, V] { h.policy = p; return h }

// Settled returns the handle as one whose equal keys are in one task.
func (h Handle[K, V]) Settled() Handle[K, V] { h.moved = ""; return h }

// Moved returns where the key was changed since the last repartitioning, "" if it was not.
func (h Handle[K, V]) Moved() string { return h.moved }

// MovedLike returns the handle with equal keys no more in one task than those of a stream merged into it.
func (h Handle[K, V]) MovedLike(moved string) Handle[K, V] {
	if h.moved == "" {
		h.moved = moved
	}
	return h
}

// Named names the last step.
func (h Handle[K, V]) Named(name string) Handle[K, V] {
	h.Builder("As").Rename(h.n, name, graph.Caller())
	return h
}

// NeedEqualKeys reports, for a verb that needs records of equal keys in one task, that they are not.
func (h Handle[K, V]) NeedEqualKeys(call string) {
	if h.moved != "" {
		h.Builder(call).Report(graph.Caller(), "", fmt.Errorf(
			"%s needs records partitioned by their new key (changed at %s): call Repartition(\"…\") or AssumePartitioned()", call, h.moved))
	}
}

// NeedKey returns the serde of keys, or reports that there is none.
func (h Handle[K, V]) NeedKey(call string) serde.Serde[K] {
	s := h.Key()
	if s == nil {
		h.Builder(call).Report(graph.Caller(), call, fmt.Errorf("no serde for key type %v: call WithKeySerde", reflect.TypeFor[K]()))
	}
	return s
}

// NeedValue returns the serde of values, or reports that there is none.
func (h Handle[K, V]) NeedValue(call string) serde.Serde[V] {
	s := h.Value()
	if s == nil {
		h.Builder(call).Report(graph.Caller(), call, fmt.Errorf("no serde for value type %v: call WithValueSerde", reflect.TypeFor[V]()))
	}
	return s
}

// SameBuilder reports, for a verb that joins h with what belongs to another handle, that the two are of different
// builders, and returns whether they are of one.
func (h Handle[K, V]) SameBuilder(call string, other *graph.Builder) bool {
	if h.Builder(call) == other {
		return true
	}
	h.b.Report(graph.Caller(), call, errors.New("the other side belongs to another Builder: build both sides with one"))
	return false
}
