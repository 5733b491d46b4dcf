package dsl

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A Global is a table of which every process holds all partitions. ktable.Global has it as underlying type.
type Global[K, V any] struct {
	b    *graph.Builder
	spec store.KeyValueSpec[K, V]
}

// NewGlobal declares the global table of a topic.
func NewGlobal[K, V any](b *graph.Builder, t topology.Topic[K, V], call, name string, opts []store.Option) Global[K, V] {
	if b == nil {
		panic(fmt.Sprintf("millrace: %s: %s is called with a nil Builder: use topology.NewBuilder", graph.Caller(), call))
	}
	s, at := topics.Topic[K, V](t).Spec(), graph.Caller()
	key, value := topics.Choose(s.Key), topics.Choose(s.Value)
	report := func(err error) { b.Report(at, call, err) }
	if key == nil {
		report(fmt.Errorf("no serde for key type %v of topic %s: give NewTopic one", reflect.TypeFor[K](), quoted(s.Names, s.Pattern)))
	}
	if value == nil {
		report(fmt.Errorf("no serde for value type %v of topic %s: give NewTopic one", reflect.TypeFor[V](), quoted(s.Names, s.Pattern)))
	}
	spec := store.NewKeyValue(name, key, value, opts...)
	d := spec.Decl()
	d.At, d.Global = at, true
	if key == nil || value == nil {
		d.Err = nil // it was reported with the topic
	}
	switch {
	case s.Pattern != "" || len(s.Names) != 1:
		report(fmt.Errorf("a global table is that of one topic, not of %s", quoted(s.Names, s.Pattern)))
		return Global[K, V]{b, spec}
	case s.Start.Kind != graph.Earliest:
		report(errors.New("a global table has all rows of its topic: leave StartAt out"))
	case d.NoChangelog:
		report(errors.New("the topic of a global table is its changelog: leave store.NoChangelog out"))
	}
	d.Source = s.Names[0]
	n := &graph.Node{
		Kind: "global", Name: name, Call: call, At: at, Stores: []*decl.Store{d},
		Topics: []*graph.Topic{{Name: s.Names[0], At: at}},
		Source: &graph.Source{Topic: s},
		Fan:    func([]any) any { return nil },
	}
	n.Source.Global = &graph.Global{Node: n, Store: d, Topic: s.Names[0], Check: func() func(in *record.In) (bool, error) {
		return checker(s.Names[0], key, value)
	}}
	if s.Policy != nil {
		n.Source.Policy = *s.Policy
	}
	if s.Time != nil {
		n.Source.Time = extractor(s, key, value)
	}
	b.Add(n)
	return Global[K, V]{b, spec}
}

// checker makes the function that decodes the records of a topic and reports whether their values count as null.
func checker[K, V any](topic string, key serde.Serde[K], value serde.Serde[V]) func(in *record.In) (bool, error) {
	key, value = topics.Bind(key, topic, serde.Key), topics.Bind(value, topic, serde.Value)
	null := topics.Null(value)
	return func(in *record.In) (bool, error) {
		if _, err := key.Decode(in.Key); err != nil {
			return false, &topology.DecodeError{Topic: topic, Part: serde.Key, Err: err}
		}
		if in.Value == nil {
			return true, nil
		}
		v, err := value.Decode(in.Value)
		if err != nil {
			return false, &topology.DecodeError{Topic: topic, Part: serde.Value, Err: err}
		}
		return null != nil && null(v), nil
	}
}

// Spec returns the table's store.
func (g Global[K, V]) Spec() store.KeyValueSpec[K, V] { return g.spec }

// Key returns the serde of keys.
func (g Global[K, V]) Key() serde.Serde[K] {
	s, _ := g.spec.Decl().Key.(serde.Serde[K])
	return s
}

// Builder returns what the table belongs to. It panics for a zero table, on behalf of the named call.
func (g Global[K, V]) Builder(call string) *graph.Builder {
	if g.b == nil {
		panic(fmt.Sprintf("millrace: %s: %s is called with a zero Global: make it with ktable.GlobalFrom", graph.Caller(), call))
	}
	return g.b
}

// View makes the look-up of one task, for node n.
func (g Global[K, V]) View(env graph.Env, n *graph.Node) View[K, V] {
	return rows.Open[K, V](env, n, g.spec.Decl()).Find
}
