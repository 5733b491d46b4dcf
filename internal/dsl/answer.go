package dsl

import (
	"bytes"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A reply is what a subscription is answered. Its key is the primary key, as bytes.
type reply struct {
	hash      wire.Hash
	hasHash   bool
	row       []byte // of the right table; empty: none
	partition int32  // where the left row is; -1: not known
}

// answer makes the function of subscriptions: the store keeps who has asked for a foreign key, and the row there is
// answers.
func (j *foreign[K, V, K2, V2, R]) answer(env graph.Env, n *graph.Node, next record.Fn[[]byte, reply]) record.Fn[[]byte, wire.Subscription] {
	id := int32(n.ID)
	subscriptions, look := rows.Open[[]byte, []byte](env, n, j.store), j.look(env, n)
	foreign, row := j.foreignSerde(env), j.newRowWriter(env, n)
	var combined, scratch []byte
	return func(m *record.Meta, key []byte, s wire.Subscription) {
		m.Node = id
		if m.NoKey && s.Instruction != wire.AnswerAlways {
			env.Drop(n, NullForeignKey)
			return
		}
		r := reply{hash: s.Hash, hasHash: s.HasHash, partition: s.Partition}
		ok := false
		if !m.NoKey {
			combined = wire.AppendCombined(combined[:0], key, s.Primary)
			if s.Instruction == wire.Unsubscribe || s.Instruction == wire.UnsubscribeAnswer {
				subscriptions.Remove(combined)
			} else {
				scratch = wire.AppendSubscription(scratch[:0], s)
				subscriptions.Write(combined, scratch, m.Time)
			}
			if s.Instruction == wire.Unsubscribe {
				return
			}
			k, err := foreign.Decode(key)
			if err != nil {
				record.Fail(id, &topology.DecodeError{Topic: j.registration.Full(env.ApplicationID()), Part: serde.Key, Err: err})
			}
			var v V2
			var time int64
			if v, time, ok = look(k); ok {
				m.Node, m.Time = id, max(m.Time, time)
				if s.Instruction != wire.UnsubscribeAnswer {
					r.row = row.bytes(v)
				}
			}
		}
		if ok || s.Instruction != wire.AnswerMatch {
			m.NoKey = false
			next(m, s.Primary, r)
		}
	}
}

// publish makes the function of the right table's changes: all who have asked for the row are told.
func (j *foreign[K, V, K2, V2, R]) publish(env graph.Env, n *graph.Node, next record.Fn[[]byte, reply]) record.ChangeFn[K2, V2] {
	id := int32(n.ID)
	subscriptions := rows.Open[[]byte, []byte](env, n, j.store)
	foreign, row := j.foreignSerde(env), j.newRowWriter(env, n)
	var key, prefix []byte
	return func(m *record.Meta, k K2, c record.Change[V2]) {
		m.Node = id
		var err error
		if key, err = foreign.Append(key[:0], k); err != nil {
			record.Fail(id, &topology.EncodeError{Topic: j.registration.Full(env.ApplicationID()), Part: serde.Key, Err: err})
		}
		prefix = wire.AppendForeign(prefix[:0], key)
		var r reply
		if c.HasNew {
			r.row = row.bytes(c.New)
		}
		for combined, b := range subscriptions.Prefix(prefix) {
			primary, err := wire.Primary(combined)
			if err != nil {
				record.Fail(id, err)
			}
			s, err := wire.DecodeSubscription(b)
			if err != nil {
				record.Fail(id, err)
			}
			r.hash, r.hasHash, r.partition = s.Hash, s.HasHash, s.Partition
			m.NoKey, m.NoValue = false, false
			next(m, primary, r)
		}
	}
}

// A rowWriter makes the bytes of rows of the right table, as the response topic has them.
type rowWriter[V2 any] struct {
	id    int32
	topic string
	value serde.Serde[V2]
	buf   []byte
}

func (j *foreign[K, V, K2, V2, R]) newRowWriter(env graph.Env, n *graph.Node) *rowWriter[V2] {
	topic := j.response.Full(env.ApplicationID())
	return &rowWriter[V2]{id: int32(n.ID), topic: topic, value: topics.Bind(j.rightValue, topic, serde.Value)}
}

// bytes returns the bytes of a row, valid until the next call.
func (w *rowWriter[V2]) bytes(v V2) []byte {
	var err error
	if w.buf, err = w.value.Append(w.buf[:0], v); err != nil {
		record.Fail(w.id, &topology.EncodeError{Topic: w.topic, Part: serde.Value, Err: err})
	}
	return w.buf
}

// respond makes the function that writes to the response topic: to the partition that the left row is in, whatever decided
// about it.
func (j *foreign[K, V, K2, V2, R]) respond(env graph.Env, n *graph.Node) record.Fn[[]byte, reply] {
	id, a := int32(n.ID), env.Arena()
	out, count := record.Out{Topic: j.response.Full(env.ApplicationID())}, int32(0)
	env.AtCommit(n, func() { count = 0 })
	return func(m *record.Meta, primary []byte, r reply) {
		m.Node = id
		out.Key = a.Take(append(a.Tail(), primary...))
		out.Value = a.Take(append(wire.AppendResponse(a.Tail(), r.hash, r.hasHash), r.row...))
		out.Headers, out.Time, out.Partition = m.Headers, m.Time, r.partition
		if out.Partition < 0 {
			if count == 0 {
				count = env.Partitions(out.Topic)
			}
			if count > 0 {
				out.Partition = partition.Of(out.Key, count)
			}
		}
		env.Send(&out)
	}
}

// readResponses makes the function of the source of a response topic.
func readResponses[K any](env graph.Env, n *graph.Node, topic *graph.Topic, key serde.Serde[K], next record.Fn[K, wire.Response]) func(m *record.Meta, in *record.In) {
	id, name := int32(n.ID), topic.Full(env.ApplicationID())
	key = topics.Bind(key, name, serde.Key)
	return func(m *record.Meta, in *record.In) {
		m.Node, m.NoKey, m.NoValue = id, false, false
		if in.Key == nil { // nobody but a foreign program writes it
			env.Drop(n, NullKey)
			return
		}
		k, err := key.Decode(in.Key)
		if err != nil {
			record.Fail(id, &topology.DecodeError{Topic: name, Part: serde.Key, Err: err})
		}
		r, err := wire.DecodeResponse(in.Value)
		if err != nil {
			record.Fail(id, &topology.DecodeError{Topic: name, Part: serde.Value, Err: err})
		}
		next(m, k, r)
	}
}

// apply makes the function of responses: one that is about the left row as it is now gives a result. That it is so is
// decided by the hash of the row's bytes, so a serde must write equal values as equal bytes.
func (j *foreign[K, V, K2, V2, R]) apply(env graph.Env, n *graph.Node, next record.ChangeFn[K, R]) record.Fn[K, wire.Response] {
	id, look, hashed := int32(n.ID), j.lookLeft(env, n), j.hashedSerde(env)
	topic := j.response.Full(env.ApplicationID())
	value := topics.Bind(j.rightValue, topic, serde.Value)
	var scratch []byte
	return func(m *record.Meta, k K, r wire.Response) {
		m.Node = id
		v, _, has := look(k)
		m.Node = id
		var now wire.Hash
		if has {
			var err error
			if scratch, err = hashed.Append(scratch[:0], v); err != nil {
				record.Fail(id, &topology.EncodeError{Topic: topic, Part: serde.Value, Err: err})
			}
			now = wire.HashOf(scratch)
		}
		if has != r.HasHash || has && !bytes.Equal(now[:], r.Hash[:]) {
			env.Drop(n, StaleResponse)
			return
		}
		var c record.Change[R]
		if match := len(r.Row) > 0; has && (match || j.Left) {
			var v2 V2
			if match {
				var err error
				if v2, err = value.Decode(r.Row); err != nil {
					record.Fail(id, &topology.DecodeError{Topic: topic, Part: serde.Value, Err: err})
				}
			}
			c.New, c.HasNew = j.Join(v, v2, match), true
		}
		next(m, k, c)
	}
}
