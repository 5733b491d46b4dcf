package dsl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// Source returns the handle on a source that reads a topic. The group has one position per partition, so there is one
// source per topic: reading it again with the same settings returns the source there is, and with others is an error.
func Source[K, V any](b *graph.Builder, t topology.Topic[K, V], call string) Handle[K, V] {
	if b == nil {
		panic(fmt.Sprintf("millrace: %s: %s is called with a nil Builder: use topology.NewBuilder", graph.Caller(), call))
	}
	s, at := topics.Topic[K, V](t).Spec(), graph.Caller()
	key, value := topics.Choose(s.Key), topics.Choose(s.Value)
	for _, n := range b.Nodes() {
		if n.Source == nil || n.Source.Topic == nil || len(n.Topics) == 0 || !sameNames(n, s.Names, s.Pattern) {
			continue
		}
		if why := differs(n.Source.Topic, s); why != "" {
			b.Report(at, call, fmt.Errorf("topic %s is read with %s at %s: declare the topic once, in a variable, and use it in both places", quoted(s.Names, s.Pattern), why, n.At))
			s = &topics.Spec[K, V]{} // nothing more to be said about this one
			return Handle[K, V]{b: b, n: newSource(b, s, key, value, call, at), key: key, value: value}
		}
		return Handle[K, V]{b: b, n: n, key: key, value: value}
	}
	missing := func(half string, t reflect.Type) {
		b.Report(at, call, fmt.Errorf("no serde for %s type %v of topic %s: give NewTopic one", half, t, quoted(s.Names, s.Pattern)))
	}
	if key == nil {
		missing("key", reflect.TypeFor[K]())
	}
	if value == nil {
		missing("value", reflect.TypeFor[V]())
	}
	n := newSource(b, s, key, value, call, at)
	return Handle[K, V]{b: b, n: n, key: key, value: value}
}

func newSource[K, V any](b *graph.Builder, s *topics.Spec[K, V], key serde.Serde[K], value serde.Serde[V], call, at string) *graph.Node {
	n := &graph.Node{Kind: "source", Call: call, At: at, Fan: Fan[K, V]}
	if s.Pattern != "" {
		n.Topics = []*graph.Topic{{Pattern: s.Pattern, At: at}}
	}
	for _, name := range s.Names {
		n.Topics = append(n.Topics, &graph.Topic{Name: name, At: at})
	}
	n.Source = &graph.Source{Start: s.Start, Topic: s}
	if s.Policy != nil {
		n.Source.Policy = *s.Policy
	}
	if s.Time != nil {
		n.Source.Time = extractor(s, key, value)
	}
	n.Source.Wire = func(env graph.Env, down any) func(m *record.Meta, in *record.In) {
		return decoder(env, n, key, value, down.(record.Fn[K, V]))
	}
	return b.Add(n)
}

// differs says what of two declarations of a topic is not the same, "" if they are the same.
func differs[K, V any](was any, is *topics.Spec[K, V]) string {
	w, ok := was.(*topics.Spec[K, V])
	switch {
	case !ok:
		return "other types"
	case !sameSerde(w.Key, is.Key):
		return "another key serde"
	case !sameSerde(w.Value, is.Value):
		return "another value serde"
	case w.Start != is.Start:
		return fmt.Sprintf("another start (%v, here %v)", topology.Start(w.Start), topology.Start(is.Start))
	case w.Time != is.Time:
		return "another TimeFrom"
	case w.Policy != is.Policy:
		return "another OnError"
	}
	return ""
}

// sameSerde compares what can be compared. Serdes made of functions cannot; those of one NewTopic are in one Spec, and
// copies of a Spec share them, but that does not show here: they count as the same.
func sameSerde[T any](a, b serde.Serde[T]) bool {
	a, b = topics.Choose(a), topics.Choose(b)
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.IsValid() && y.IsValid() && x.Type() == y.Type() && !(x.Comparable() && y.Comparable()) {
		return true
	}
	return a == b
}

func sameNames(n *graph.Node, names []string, pattern string) bool {
	if pattern != "" {
		return len(n.Topics) == 1 && n.Topics[0].Pattern == pattern
	}
	var have []string
	for _, t := range n.Topics {
		have = append(have, t.Name)
	}
	have, want := slices.Clone(have), slices.Clone(names)
	slices.Sort(have)
	slices.Sort(want)
	return slices.Equal(have, want) && n.Topics[0].Pattern == ""
}

func quoted(names []string, pattern string) string {
	if pattern != "" {
		return fmt.Sprintf("pattern %q", pattern)
	}
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
