package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// SessionWindowed is a grouped stream cut into sessions. Grouped.WindowedBySession makes it. It may be folded several times.
//
// Sessions grow: a record that extends one, or joins two, has the table delete their rows and send one for the whole. What
// is late, and what becomes of records without a value, is as in Windowed: a session is closed when event time is more than
// the gap and the grace behind its end. A row's time is the end of its session. As in Kafka Streams, updates sent at once
// (store.NoCache) have no headers, and do not say what a row was before.
//
// Topics of the result take window.SessionKeySerde, which is what it brings itself.
type SessionWindowed[K, V any] struct {
	g     dsl.Grouped[K, V]
	rule  window.SessionWindows
	close *closing
	late  *dsl.Target[K, V]
}

// WindowedBySession folds each session on its own.
func (g Grouped[K, V]) WindowedBySession(w window.SessionWindows) SessionWindowed[K, V] {
	return SessionWindowed[K, V]{g: g.g(), rule: w}
}

// EmitOnClose sends one result per session, when it is closed, instead of updates; see Windowed.EmitOnClose. Results that
// come together are ordered by end, start and key.
func (w SessionWindowed[K, V]) EmitOnClose(opts ...EmitOption) SessionWindowed[K, V] {
	w.close = newClosing(opts)
	return w
}

// LateTo writes records that come too late for their session to a topic; see Windowed.LateTo.
func (w SessionWindowed[K, V]) LateTo(t topology.Topic[K, V]) SessionWindowed[K, V] {
	to := dsl.Aim(w.g.Handle(), t, "LateTo")
	w.late = &to
	return w
}

// Count counts the records of each key and session in the named store.
func (w SessionWindowed[K, V]) Count(name string, opts ...store.Option) Table[window.Key[K], int64] {
	return windowedFold(w.g, cutBySession(w.rule, w.close), w.late, counting[K, V](), name, opts)
}

// Reduce folds the values of each key and session with f, in the named store; the first value stands for itself. Sessions
// that become one are folded with f too, the earlier one first: f must not care how values are grouped. With a serde that
// has nulls (serde.Nullable), f deletes the row by returning one.
func (w SessionWindowed[K, V]) Reduce(name string, f func(old, v V) V, opts ...store.Option) Table[window.Key[K], V] {
	return windowedFold(w.g, cutBySession(w.rule, w.close), w.late, reducing[K](f, w.g.Handle().Value()), name, opts)
}

// Aggregate folds the values of each session into an A, in the named store; merge joins sessions that become one, the
// earlier one first. A new record begins with what init makes, merges the sessions it joins into that, and is added to the
// result. init, s and add are as in Grouped.Aggregate. Also records that turn out to be late call init and merge.
func (w SessionWindowed[K, V]) Aggregate[A any](name string, s serde.Serde[A], init func() A, add func(K, V, A) A, merge func(k K, a, b A) A, opts ...store.Option) Table[window.Key[K], A] {
	f := aggregating(s, init, add, merge)
	f.nilFunc = f.nilFunc || merge == nil
	return windowedFold(w.g, cutBySession(w.rule, w.close), w.late, f, name, opts)
}
