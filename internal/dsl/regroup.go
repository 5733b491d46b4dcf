package dsl

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A Regrouped is a table under new keys: changes, both halves of which are in the task of the new key. ktable.Regrouped
// has it as underlying type.
type Regrouped[K, V any] struct {
	h      Handle[K, V]
	serdes *Serdes[K, V] // of the repartition topic
	call   string        // that declared it
}

// RegroupTable groups a table under the keys f returns, through a repartition topic of changes: a row that changes its key
// is two records, the old value under the old key first. Serdes are those of the table where types did not change; others
// may be given to the result, and Build reports those that are missing.
//
//	change of a table ──► f(old), f(new) ──► Change on the topic ──► change under the new key
func RegroupTable[K, V, K2, V2 any](h Handle[K, V], call, name string, f func(K, V) (K2, V2)) Regrouped[K2, V2] {
	s, at, b := &Serdes[K2, V2]{}, graph.Caller(), h.Builder(call)
	s.Key, _ = any(h.Key()).(serde.Serde[K2])
	s.Value, _ = any(h.Value()).(serde.Serde[V2])
	s.Key, s.Value = topics.Choose(s.Key), topics.Choose(s.Value)
	b.Later(func() []graph.Problem {
		var ps []graph.Problem
		if s.Key == nil {
			ps = append(ps, graph.Problem{At: at, Node: call, Err: fmt.Errorf("no serde for key type %v: call WithKeySerde on the result", reflect.TypeFor[K2]())})
		}
		if s.Value == nil {
			ps = append(ps, graph.Problem{At: at, Node: call, Err: fmt.Errorf("no serde for value type %v: call WithSerdes on the result", reflect.TypeFor[V2]())})
		}
		return ps
	})
	topic := &graph.Topic{Name: name, Repartition: true, At: at}
	step := Step{Call: call, Kind: "sink", Name: name + "-repartition-sink", NilFunc: f == nil, Old: graph.WantsOld}
	sink := h.EndChanges(step, func(env graph.Env, n *graph.Node) record.ChangeFn[K, V] {
		w := newChangeWriter(env, n, topic.Full(env.ApplicationID()), s)
		env.AtCommit(n, w.forget)
		return func(m *record.Meta, k K, c record.Change[V]) {
			if c.Stale { // a fold is of the newest versions of the rows
				return
			}
			m.Node = w.id
			var old, new half[K2, V2]
			if c.HasOld {
				old.key, old.value = f(k, c.Old)
				old.is = true
			}
			if c.HasNew {
				new.key, new.value = f(k, c.New)
				new.is = true
			}
			w.write(m, old, new)
		}
	})
	read := &graph.Node{
		Kind: "source", Name: name + "-repartition-source", Call: call, At: at,
		Topics: []*graph.Topic{topic}, Source: &graph.Source{}, Fan: FanChanges[K2, V2],
	}
	sink.Topics = read.Topics
	read.Source.Wire = func(env graph.Env, down any) func(m *record.Meta, in *record.In) {
		return readChanges(env, read, topic.Full(env.ApplicationID()), s, down.(record.ChangeFn[K2, V2]))
	}
	b.Add(read)
	return Regrouped[K2, V2]{Handle[K2, V2]{b: b, n: read, key: s.Key, value: s.Value, policy: h.policy}, s, call}
}

// Handle returns the changes.
func (g Regrouped[K, V]) Handle() Handle[K, V] { return g.h }

// Pending reports whether a serde is missing that Build will ask for, so that nobody else needs to.
func (g Regrouped[K, V]) Pending() bool { return g.serdes.Key == nil || g.serdes.Value == nil }

// WithKey returns the grouping with a serde of keys, which becomes the repartition topic's if that has none.
func (g Regrouped[K, V]) WithKey(s serde.Serde[K]) Regrouped[K, V] {
	g.h = g.h.WithKey(s)
	g.serdes.Key = settle(g.h.b, g.call, "key", g.serdes.Key, s)
	return g
}

// WithValue returns the grouping with a serde of values, which becomes the repartition topic's if that has none.
func (g Regrouped[K, V]) WithValue(s serde.Serde[V]) Regrouped[K, V] {
	g.h = g.h.WithValue(s)
	g.serdes.Value = settle(g.h.b, g.call, "value", g.serdes.Value, s)
	return g
}

// A half of a change: the old row or the new one, under its new key.
type half[K, V any] struct {
	key   K
	value V
	is    bool
}

// A changeWriter writes changes to a repartition topic.
type changeWriter[K, V any] struct {
	id        int32
	env       graph.Env
	out       record.Out
	key       serde.Serde[K]
	value     serde.Serde[V]
	nullKey   func(K) bool
	nullValue func(V) bool
	keys      [2][]byte // scratch
	values    [2][]byte
	count     int32 // of partitions; 0: ask
}

func newChangeWriter[K, V any](env graph.Env, n *graph.Node, topic string, s *Serdes[K, V]) *changeWriter[K, V] {
	w := &changeWriter[K, V]{
		id: int32(n.ID), env: env,
		key: topics.Bind(s.Key, topic, serde.Key), value: topics.Bind(s.Value, topic, serde.Value),
	}
	w.out.Topic = topic
	w.nullKey, w.nullValue = topics.Null(w.key), topics.Null(w.value)
	return w
}

func (w *changeWriter[K, V]) forget() { w.count = 0 }

// write sends a change: one record if both halves have the same key, else the old half first. A half with a null key or
// value says nothing to any group and is left out.
func (w *changeWriter[K, V]) write(m *record.Meta, old, new half[K, V]) {
	var c wire.Change
	c.Old, c.HasOld = w.encode(0, old)
	c.New, c.HasNew = w.encode(1, new)
	if c.HasOld && c.HasNew && !bytes.Equal(w.keys[0], w.keys[1]) {
		w.send(m, w.keys[0], wire.Change{Old: c.Old, HasOld: true})
		c.HasOld = false
	}
	switch {
	case c.HasNew:
		w.send(m, w.keys[1], c)
	case c.HasOld:
		w.send(m, w.keys[0], c)
	}
}

// encode makes the bytes of a half, in scratch number i, and reports whether there is one.
func (w *changeWriter[K, V]) encode(i int, h half[K, V]) (value []byte, ok bool) {
	if !h.is || w.nullKey != nil && w.nullKey(h.key) || w.nullValue != nil && w.nullValue(h.value) {
		return nil, false
	}
	var err error
	if w.keys[i], err = w.key.Append(w.keys[i][:0], h.key); err != nil {
		record.Fail(w.id, &topology.EncodeError{Topic: w.out.Topic, Part: serde.Key, Err: err})
	}
	if w.values[i], err = w.value.Append(w.values[i][:0], h.value); err != nil {
		record.Fail(w.id, &topology.EncodeError{Topic: w.out.Topic, Part: serde.Value, Err: err})
	}
	return w.values[i], true
}

func (w *changeWriter[K, V]) send(m *record.Meta, key []byte, c wire.Change) {
	a, o := w.env.Arena(), &w.out
	o.Key = a.Take(append(a.Tail(), key...))
	o.Value = a.Take(wire.AppendChange(a.Tail(), c))
	o.Headers, o.Time = m.Headers, m.Time
	if w.count == 0 {
		w.count = w.env.Partitions(o.Topic)
	}
	if o.Partition = -1; w.count > 0 {
		o.Partition = partition.Of(o.Key, w.count)
	}
	w.env.Send(o)
}

// readChanges makes the function of the source of a repartition topic of changes.
func readChanges[K, V any](env graph.Env, n *graph.Node, topic string, s *Serdes[K, V], next record.ChangeFn[K, V]) func(m *record.Meta, in *record.In) {
	id := int32(n.ID)
	key, value := topics.Bind(s.Key, topic, serde.Key), topics.Bind(s.Value, topic, serde.Value)
	fail := func(part serde.Part, err error) {
		record.Fail(id, &topology.DecodeError{Topic: topic, Part: part, Err: err})
	}
	return func(m *record.Meta, in *record.In) {
		m.Node, m.NoKey, m.NoValue = id, false, false
		if in.Key == nil || in.Value == nil { // nobody but a foreign program writes them
			env.Drop(n, NullKey)
			return
		}
		k, err := key.Decode(in.Key)
		if err != nil {
			fail(serde.Key, err)
		}
		raw, err := wire.DecodeChange(in.Value)
		if err != nil {
			fail(serde.Value, err)
		}
		c := record.Change[V]{HasOld: raw.HasOld, HasNew: raw.HasNew}
		if raw.HasOld {
			if c.Old, err = value.Decode(raw.Old); err != nil {
				fail(serde.Value, err)
			}
		}
		if raw.HasNew {
			if c.New, err = value.Decode(raw.New); err != nil {
				fail(serde.Value, err)
			}
		}
		next(m, k, c)
	}
}
