package dsl

import (
	"bytes"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// subscribe makes the function of the left table's changes: what a changed row asks the holders of its old and its new
// foreign key. Whether a key changed is decided on its bytes.
func (j *foreign[K, V, K2, V2, R]) subscribe(env graph.Env, n *graph.Node) record.ChangeFn[K, V] {
	s := &subscriber[K, V, K2]{
		id: int32(n.ID), env: env, node: n, key: j.Key,
		foreign: j.foreignSerde(env), primary: j.primarySerde(env), value: j.hashedSerde(env),
	}
	s.nullForeign = topics.Null(s.foreign)
	s.out.Topic = j.registration.Full(env.ApplicationID())
	_, s.partition = env.TaskID()
	env.AtCommit(n, func() { s.count = 0 })
	if j.Left {
		return s.left
	}
	return s.inner
}

// A subscriber writes to the registration topic of a foreign-key join.
type subscriber[K, V, K2 any] struct {
	id          int32
	env         graph.Env
	node        *graph.Node
	key         func(K, V) (K2, bool)
	foreign     serde.Serde[K2]
	primary     serde.Serde[K]
	value       serde.Serde[V]
	nullForeign func(K2) bool
	partition   int32 // of the task
	out         record.Out
	count       int32 // of partitions of the topic; 0: ask
	old, new    []byte
	scratch     []byte
	message     wire.Subscription
}

// inner sends as little as an inner join needs: no answer where there cannot have been a result, and is none now.
func (s *subscriber[K, V, K2]) inner(m *record.Meta, k K, c record.Change[V]) {
	old, new := s.begin(m, k, c)
	switch {
	case c.HasNew && new == nil:
		s.env.Drop(s.node, NullForeignKey)
		if old != nil {
			s.send(m, k, old, wire.UnsubscribeAnswer)
		}
	case c.HasNew && old != nil && !bytes.Equal(old, new):
		s.send(m, k, old, wire.Unsubscribe)
		s.send(m, k, new, wire.AnswerAlways) // no match deletes the result that the old key may have given
	case c.HasNew:
		s.send(m, k, new, wire.AnswerMatch)
	case old != nil:
		s.send(m, k, old, wire.UnsubscribeAnswer)
	}
}

// left always asks, since there is a result as long as there is a row: without a foreign key it asks nobody in particular,
// which is answered that there is no match.
func (s *subscriber[K, V, K2]) left(m *record.Meta, k K, c record.Change[V]) {
	if !c.HasOld && !c.HasNew {
		return
	}
	old, new := s.begin(m, k, c)
	if old != nil && (new == nil || !bytes.Equal(old, new)) {
		s.send(m, k, old, wire.Unsubscribe)
	}
	s.send(m, k, new, wire.AnswerAlways)
}

// begin finds the foreign keys of a change, nil for none, and what all messages about it say.
func (s *subscriber[K, V, K2]) begin(m *record.Meta, k K, c record.Change[V]) (old, new []byte) {
	m.Node = s.id
	if c.HasOld {
		old = s.bytes(&s.old, k, c.Old)
	}
	s.message = wire.Subscription{Partition: s.partition}
	if c.HasNew {
		new = s.bytes(&s.new, k, c.New)
		var err error
		if s.scratch, err = s.value.Append(s.scratch[:0], c.New); err != nil {
			s.fail(serde.Value, err)
		}
		s.message.Hash, s.message.HasHash = wire.HashOf(s.scratch), true
	}
	return old, new
}

// bytes returns the foreign key of a row, nil if it has none.
func (s *subscriber[K, V, K2]) bytes(buf *[]byte, k K, v V) []byte {
	foreign, ok := s.key(k, v)
	if !ok || s.nullForeign != nil && s.nullForeign(foreign) {
		return nil
	}
	b, err := s.foreign.Append((*buf)[:0], foreign)
	if err != nil {
		s.fail(serde.Key, err)
	}
	if b == nil {
		b = []byte{}
	}
	*buf = b
	return b
}

func (s *subscriber[K, V, K2]) send(m *record.Meta, k K, foreign []byte, what wire.Instruction) {
	var err error
	if s.scratch, err = s.primary.Append(s.scratch[:0], k); err != nil {
		s.fail(serde.Key, err)
	}
	s.message.Instruction, s.message.Primary = what, s.scratch
	a, o := s.env.Arena(), &s.out
	o.Key, o.Partition = nil, -1
	if foreign != nil {
		o.Key = a.Take(append(a.Tail(), foreign...))
		if s.count == 0 {
			s.count = s.env.Partitions(o.Topic)
		}
		if s.count > 0 {
			o.Partition = partition.Of(o.Key, s.count)
		}
	}
	o.Value = a.Take(wire.AppendSubscription(a.Tail(), s.message))
	o.Headers, o.Time = m.Headers, m.Time
	s.env.Send(o)
}

func (s *subscriber[K, V, K2]) fail(part serde.Part, err error) {
	record.Fail(s.id, &topology.EncodeError{Topic: s.out.Topic, Part: part, Err: err})
}

// readSubscriptions makes the function of the source of a registration topic. Keys and messages are those of the record in
// hand.
func readSubscriptions(env graph.Env, n *graph.Node, topic *graph.Topic, next record.Fn[[]byte, wire.Subscription]) func(m *record.Meta, in *record.In) {
	id, name := int32(n.ID), topic.Full(env.ApplicationID())
	return func(m *record.Meta, in *record.In) {
		m.Node, m.NoKey, m.NoValue = id, in.Key == nil, false
		s, err := wire.DecodeSubscription(in.Value)
		if err != nil {
			record.Fail(id, &topology.DecodeError{Topic: name, Part: serde.Value, Err: err})
		}
		next(m, in.Key, s)
	}
}
