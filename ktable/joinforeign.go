package ktable

import "github.com/millrace-streams/millrace/internal/dsl"

// JoinForeign joins each row with the row of other that key names: the result has a row for each row of t that names one
// there is. key returns false where a row names none; it is called for the old and the new value of a row and must return
// the same for the same.
//
// Rows meet through two topics, <application id>-<name>-subscription-registration-topic and
// <application id>-<name>-subscription-response-topic, and a store <name>-subscription-store of who has asked for what; a
// change of other reaches all rows that name it. The value serde of t must write equal values as equal bytes: answers that
// a row has overtaken are told by its hash.
//
// The result holds no rows, and does not know what a row was before: Materialize it to look it up, group or join it. A
// result may be deleted that was not there.
func (t Table[K, V]) JoinForeign[K2, V2, R any](name string, other Table[K2, V2], key func(K, V) (K2, bool), join func(V, V2) R) Table[K, R] {
	return Table[K, R](dsl.JoinForeign(t.t(), other.t(), dsl.Foreign[K, V, K2, V2, R]{
		Call: call("JoinForeign", name), Kind: "join-foreign", Name: name, NilFunc: key == nil || join == nil, Key: key,
		Join: func(v V, v2 V2, _ bool) R { return join(v, v2) },
	}))
}

// LeftJoinForeign is JoinForeign that keeps rows without a match; ok reports a match.
func (t Table[K, V]) LeftJoinForeign[K2, V2, R any](name string, other Table[K2, V2], key func(K, V) (K2, bool), join func(v V, v2 V2, ok bool) R) Table[K, R] {
	return Table[K, R](dsl.JoinForeign(t.t(), other.t(), dsl.Foreign[K, V, K2, V2, R]{
		Call: call("LeftJoinForeign", name), Kind: "left-join-foreign", Name: name, NilFunc: key == nil || join == nil, Left: true, Key: key, Join: join,
	}))
}
