package dsl

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// A Foreign says how a table is joined with the rows of another that its own rows name.
type Foreign[K, V, K2, V2, R any] struct {
	Call, Kind string
	Name       string // of its topics and store
	NilFunc    bool
	Left       bool                  // keeps rows without a match
	Key        func(K, V) (K2, bool) // names the row of the other table; false: none
	Join       func(V, V2, bool) R   // the last says whether there is a match
}

// JoinForeign joins a left table with the rows of a right one that a function of the left row names. The two need not be in
// the same task, so a row of the left table subscribes to the row it names, and is answered now and whenever that changes:
//
//	left change ──► subscribe ──► registration topic ──► answer ◄──► subscription store (foreign key ‖ primary key)
//	                                                       │                 │ prefix
//	                                                       ▼                 ▼
//	result ◄── join with the left row ◄── response topic ◄──┴──────────── publish ◄── right change
//
// An answer carries the hash of the left row it is about: one that the row has overtaken is dropped. The result holds no
// rows.
func JoinForeign[K, V, K2, V2, R any](left Table[K, V], right Table[K2, V2], f Foreign[K, V, K2, V2, R]) Table[K, R] {
	l, r := left.h, right.h
	b, at := l.Builder(f.Call), graph.Caller()
	if !l.SameBuilder(f.Call, r.Builder(f.Call)) {
		return Passing(Handle[K, R]{b: b, n: l.n, key: l.key, policy: l.policy})
	}
	left.NeedOld(f.Call)
	j := &foreign[K, V, K2, V2, R]{Foreign: f,
		leftKey: l.NeedKey(f.Call), leftValue: l.NeedValue(f.Call), rightKey: r.NeedKey(f.Call), rightValue: r.NeedValue(f.Call),
		registration: &graph.Topic{Name: f.Name, Repartition: true, Suffix: "-subscription-registration-topic", At: at},
		response:     &graph.Topic{Name: f.Name, Repartition: true, Suffix: "-subscription-response-topic", At: at},
		look:         right.View, lookLeft: left.View,
	}
	j.store = store.NewKeyValue(f.Name+"-subscription-store", serde.Bytes, serde.Bytes, store.NoCache()).Decl()
	j.store.At, j.store.Headers = at, true

	subscribe := l.EndChanges(Step{Call: f.Call, Kind: "sink", Name: f.Name + "-subscription-registration-sink", NilFunc: f.NilFunc, Old: graph.WantsOld}, func(env graph.Env, n *graph.Node) record.ChangeFn[K, V] {
		return left.InOrder(env, n, j.subscribe(env, n))
	})
	subscribe.Topics = []*graph.Topic{j.registration}
	asked := Handle[[]byte, wire.Subscription]{b: b, policy: r.policy, n: b.Add(&graph.Node{
		Kind: "source", Name: f.Name + "-subscription-registration-source", Call: f.Call, At: at,
		Topics: subscribe.Topics, Source: &graph.Source{}, Fan: Fan[[]byte, wire.Subscription],
	})}
	asked.n.Source.Wire = func(env graph.Env, down any) func(m *record.Meta, in *record.In) {
		return readSubscriptions(env, asked.n, j.registration, down.(record.Fn[[]byte, wire.Subscription]))
	}
	stores := append([]*decl.Store{j.store}, right.Bases(f.Call)...)
	answered := asked.Map(Step{Call: f.Call, Kind: f.Kind + "-answer", Stores: stores}, j.answer)
	published := add(r, Step{Call: f.Call, Kind: f.Kind + "-publish", Stores: stores[:1]}, Fan[[]byte, reply],
		func(env graph.Env, n *graph.Node, next record.Fn[[]byte, reply]) record.ChangeFn[K2, V2] {
			return r.withoutNulls(right.InOrder(env, n, j.publish(env, n, next)))
		})
	b.Copartition(answered.n, asked.n, r.n)

	respond := answered.End(Step{Call: f.Call, Kind: "sink", Name: f.Name + "-subscription-response-sink"}, j.respond)
	respond.AddParent(published)
	respond.Topics = []*graph.Topic{j.response}
	heard := Handle[K, wire.Response]{b: b, policy: l.policy, key: j.leftKey, n: b.Add(&graph.Node{
		Kind: "source", Name: f.Name + "-subscription-response-source", Call: f.Call, At: at,
		Topics: respond.Topics, Source: &graph.Source{}, Fan: Fan[K, wire.Response],
	})}
	heard.n.Source.Wire = func(env graph.Env, down any) func(m *record.Meta, in *record.In) {
		return readResponses(env, heard.n, j.response, j.leftKey, down.(record.Fn[K, wire.Response]))
	}
	out := heard.Fold(Step{Call: f.Call, Kind: f.Kind, Name: f.Name, Stores: left.Bases(f.Call)}, j.apply)
	b.Copartition(out.n, heard.n, l.n)
	return Passing(out)
}

// A foreign is a Foreign with all that its steps share. It is made once per topology, and its methods make the functions
// of one task.
type foreign[K, V, K2, V2, R any] struct {
	Foreign[K, V, K2, V2, R]
	leftKey      serde.Serde[K]
	leftValue    serde.Serde[V]
	rightKey     serde.Serde[K2]
	rightValue   serde.Serde[V2]
	registration *graph.Topic
	response     *graph.Topic
	store        *decl.Store
	look         func(env graph.Env, n *graph.Node) View[K2, V2]
	lookLeft     func(env graph.Env, n *graph.Node) View[K, V]
}

// The serdes of a foreign-key join write to topics that there are not, in Kafka Streams too: schema registries see the
// names <registration topic>-pk for primary keys, and <registration topic>-vh for values that are hashed.

func (j *foreign[K, V, K2, V2, R]) primarySerde(env graph.Env) serde.Serde[K] {
	return topics.Bind(j.leftKey, j.registration.Full(env.ApplicationID())+"-pk", serde.Key)
}

func (j *foreign[K, V, K2, V2, R]) hashedSerde(env graph.Env) serde.Serde[V] {
	return topics.Bind(j.leftValue, j.registration.Full(env.ApplicationID())+"-vh", serde.Value)
}

func (j *foreign[K, V, K2, V2, R]) foreignSerde(env graph.Env) serde.Serde[K2] {
	return topics.Bind(j.rightKey, j.registration.Full(env.ApplicationID()), serde.Key)
}

// Reasons for which a foreign-key join drops records.
const (
	NullForeignKey = "null-foreign-key" // a row of an inner join names no row
	StaleResponse  = "stale-response"   // the row has changed since it asked
)
