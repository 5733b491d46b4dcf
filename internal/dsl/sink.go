package dsl

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A Target is where and how a sink writes.
type Target[K, V any] struct {
	Topic     *graph.Topic // nil: what there was instead has been reported
	Key       serde.Serde[K]
	Value     serde.Serde[V]
	Partition *func(key K, value V, partitions int) int // nil: murmur2 of the key
}

// Aim returns the target of a handle's records in a topic, which must be one a program can write to. The topic's own
// serdes come first, then those of the handle.
func Aim[K, V any](h Handle[K, V], t topology.Topic[K, V], call string) Target[K, V] {
	s, at := topics.Topic[K, V](t).Spec(), graph.Caller()
	b := h.Builder(call)
	to := Target[K, V]{Key: s.Key, Value: s.Value, Partition: s.Partition}
	switch {
	case s.Pattern != "":
		b.Report(at, call, fmt.Errorf("the topic is a pattern (%q), which can only be read: name one topic", s.Pattern))
	case len(s.Names) == 0:
		b.Report(at, call, errors.New("the topic is the zero Topic: use topology.NewTopic"))
	case len(s.Names) > 1:
		b.Report(at, call, fmt.Errorf("the topic stands for %d topics, which can only be read: name one with Named", len(s.Names)))
	default:
		to.Topic = &graph.Topic{Name: s.Names[0], At: at}
	}
	if to.Key == nil {
		to.Key = h.NeedKey(call)
	}
	if to.Value == nil {
		to.Value = h.NeedValue(call)
	}
	return to
}

// Topics are those of the sink's node.
func (to Target[K, V]) Topics() []*graph.Topic {
	if to.Topic == nil {
		return nil
	}
	return []*graph.Topic{to.Topic}
}

// Send returns the function that writes the records of node n to a target.
func (to Target[K, V]) Send(env graph.Env, n *graph.Node) record.Fn[K, V] {
	w := NewWriter(env, n, to.Topic.Full(env.ApplicationID()), to.Key, to.Value, to.Partition)
	env.AtCommit(n, w.Forget)
	return w.Write
}

// A Writer writes records to one topic, from one node of one task.
type Writer[K, V any] struct {
	id        int32
	env       graph.Env
	arena     *record.Arena
	out       record.Out
	key       serde.Serde[K]
	value     serde.Serde[V]
	nullKey   func(K) bool // nil: no key is null
	nullValue func(V) bool
	partition *func(key K, value V, partitions int) int
	count     int32                 // of partitions; 0: ask
	keyOf     func(b []byte) []byte // the part of a key's bytes that says the partition; nil: all
}

// NewWriter returns a writer; topic is the full name.
func NewWriter[K, V any](env graph.Env, n *graph.Node, topic string, key serde.Serde[K], value serde.Serde[V], by *func(K, V, int) int) *Writer[K, V] {
	w := &Writer[K, V]{
		id: int32(n.ID), env: env, arena: env.Arena(), partition: by,
		key: topics.Bind(key, topic, serde.Key), value: topics.Bind(value, topic, serde.Value),
	}
	w.out.Topic = topic
	w.nullKey, w.nullValue = topics.Null(w.key), topics.Null(w.value)
	if windowed, ok := w.key.(interface{ WithoutWindow(b []byte) []byte }); ok {
		w.keyOf = windowed.WithoutWindow
	}
	return w
}

// Forget has the number of partitions asked for again. It is called at each commit, since topics grow.
func (w *Writer[K, V]) Forget() { w.count = 0 }

// NullKey reports whether a record has no key, by its Meta or by the serde.
func (w *Writer[K, V]) NullKey(m *record.Meta, k K) bool {
	return m.NoKey || w.nullKey != nil && w.nullKey(k)
}

// Write sends one record.
func (w *Writer[K, V]) Write(m *record.Meta, k K, v V) {
	m.Node = w.id
	o := &w.out
	o.Key, o.Value, o.Headers, o.Time = nil, nil, m.Headers, m.Time
	if !w.NullKey(m, k) {
		b, err := w.key.Append(w.arena.Tail(), k)
		if err != nil {
			record.Fail(w.id, &topology.EncodeError{Topic: o.Topic, Part: serde.Key, Err: err})
		}
		o.Key = w.take(b)
	}
	if !(m.NoValue || w.nullValue != nil && w.nullValue(v)) {
		b, err := w.value.Append(w.arena.Tail(), v)
		if err != nil {
			record.Fail(w.id, &topology.EncodeError{Topic: o.Topic, Part: serde.Value, Err: err})
		}
		o.Value = w.take(b)
	}
	o.Partition = w.choose(k, v)
	w.env.Send(o)
}

// take keeps what a serde appended. A serde may return nil for an empty value; nil would be Kafka's null.
func (w *Writer[K, V]) take(b []byte) []byte {
	if b == nil {
		b = w.arena.Tail()
	}
	return w.arena.Take(b)
}

func (w *Writer[K, V]) choose(k K, v V) int32 {
	if w.partition == nil && w.out.Key == nil {
		return -1
	}
	if w.count == 0 {
		w.count = w.env.Partitions(w.out.Topic)
	}
	if w.partition == nil {
		key := w.out.Key
		switch {
		case w.count == 0 && w.keyOf == nil:
			return -1 // not known yet: the producer chooses by the same rule
		case w.count == 0:
			record.Fail(w.id, fmt.Errorf("topology: the number of partitions of topic %q is not known, and windowed keys need it: create the topic", w.out.Topic))
		case w.keyOf != nil:
			key = w.keyOf(key)
		}
		return partition.Of(key, w.count)
	}
	if w.count == 0 {
		record.Fail(w.id, fmt.Errorf("topology: the number of partitions of topic %q is not known, and its partition function needs it: create the topic", w.out.Topic))
	}
	p := (*w.partition)(k, v, int(w.count))
	if p < 0 || p >= int(w.count) {
		record.Fail(w.id, fmt.Errorf("topology: the partition function of topic %q returned %d: it must be from 0 to %d", w.out.Topic, p, w.count-1))
	}
	return int32(p)
}
