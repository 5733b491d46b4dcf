package dsl

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// reader makes records of the bytes of one source in one task.
type reader[K, V any] struct {
	id       int32
	env      graph.Env
	key      serde.Serde[K]
	value    serde.Serde[V]
	nullable bool // functions see null values as the zero V
	next     record.Fn[K, V]
}

// decoder returns the function of a source.
func decoder[K, V any](env graph.Env, n *graph.Node, key serde.Serde[K], value serde.Serde[V], next record.Fn[K, V]) func(m *record.Meta, in *record.In) {
	r := &reader[K, V]{int32(n.ID), env, key, value, topics.Nullable(value), next}
	if t := n.Topics[0]; len(n.Topics) == 1 && t.Pattern == "" {
		name := t.Full(env.ApplicationID())
		r.key, r.value = topics.Bind(key, name, serde.Key), topics.Bind(value, name, serde.Value)
		return r.read
	}
	if !topics.Binds(key) && !topics.Binds(value) {
		return r.read
	}
	return r.readBound(key, value)
}

func (r *reader[K, V]) read(m *record.Meta, in *record.In) {
	m.Node, m.NoKey, m.NoValue = r.id, in.Key == nil, in.Value == nil && !r.nullable
	var k K
	var v V
	var err error
	if in.Key != nil {
		if k, err = r.key.Decode(in.Key); err != nil {
			r.fail(serde.Key, err)
		}
	}
	if in.Value != nil {
		if v, err = r.value.Decode(in.Value); err != nil {
			r.fail(serde.Value, err)
		}
	}
	r.next(m, k, v)
}

func (r *reader[K, V]) fail(part serde.Part, err error) {
	topic, _, _, _ := r.env.Position()
	record.Fail(r.id, &topology.DecodeError{Topic: topic, Part: part, Err: err})
}

// readBound is read for several topics and a serde that wants to know which: the serdes bound to the topic of the record
// before stay at hand.
func (r *reader[K, V]) readBound(key serde.Serde[K], value serde.Serde[V]) func(m *record.Meta, in *record.In) {
	type pair struct {
		key   serde.Serde[K]
		value serde.Serde[V]
	}
	known, last := map[string]pair{}, ""
	return func(m *record.Meta, in *record.In) {
		m.Node = r.id
		if topic, _, _, _ := r.env.Position(); topic != last {
			p, ok := known[topic]
			if !ok {
				p = pair{topics.Bind(key, topic, serde.Key), topics.Bind(value, topic, serde.Value)}
				known[topic] = p
			}
			r.key, r.value, last = p.key, p.value, topic
		}
		r.read(m, in)
	}
}

// extractor returns the function that finds the event time of a source's records by the user's. It is shared by all
// tasks, and keeps nothing.
func extractor[K, V any](s *topics.Spec[K, V], key serde.Serde[K], value serde.Serde[V]) func(string, int32, *record.In, int64) (int64, error) {
	nullable := topics.Nullable(value)
	return func(topic string, _ int32, in *record.In, latest int64) (int64, error) {
		m := record.Meta{Time: in.Time, Headers: in.Headers, NoKey: in.Key == nil, NoValue: in.Value == nil && !nullable}
		var k K
		var v V
		var err error
		if in.Key != nil {
			if k, err = topics.Bind(key, topic, serde.Key).Decode(in.Key); err != nil {
				return 0, &topology.DecodeError{Topic: topic, Part: serde.Key, Err: err}
			}
		}
		if in.Value != nil {
			if v, err = topics.Bind(value, topic, serde.Value).Decode(in.Value); err != nil {
				return 0, &topology.DecodeError{Topic: topic, Part: serde.Value, Err: err}
			}
		}
		at, ok := (*s.Time)(m, k, v, latest)
		if !ok {
			return -1, nil // as a record without a usable time of its own: dropped and counted
		}
		if at < 0 {
			return 0, fmt.Errorf("topology: the event time of a record of topic %q is found to be %v, before 1970: return the record's own time where there is no better, or drop it with TimeOrDrop", topic, time.UnixMilli(at).UTC())
		}
		return at, nil
	}
}
