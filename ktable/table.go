package ktable

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Table is the latest value per key, and the changes to it. It is a small value: keep it, copy it, use it as often as
// needed.
//
// A table forwards a changed row once per commit, with the row before and after the commit; store.NoCache has it forward
// every update at once. Functions given to a table's verbs never see a deleted row.
type Table[K, V any] dsl.Table[K, V]

func (t Table[K, V]) t() dsl.Table[K, V]  { return dsl.Table[K, V](t) }
func (t Table[K, V]) h() dsl.Handle[K, V] { return t.t().Handle() }

func (t Table[K, V]) with(h dsl.Handle[K, V]) Table[K, V] { return Table[K, V](t.t().With(h)) }

// From reads a topic as a table kept in the named store: a record is the new row of its key, one without a value deletes
// the row. Records without a key are dropped and counted. A record replaces the row also if its time is older. The store
// has a changelog topic of its own, unless store.SourceChangelog says that the topic is one.
func From[K, V any](b *topology.Builder, t topology.Topic[K, V], name string, opts ...store.Option) Table[K, V] {
	c := call("From", name)
	h := dsl.Source((*graph.Builder)(b), t, c)
	kept := dsl.Keep(h, c, "table-source", name, opts)
	dsl.LogInSource(h, kept.Spec().Decl(), c)
	return Table[K, V](kept)
}

// To writes the table's changes to a topic; a deleted row becomes a record without a value. Serdes the topic does not have
// are those of the table.
func (t Table[K, V]) To(topic topology.Topic[K, V]) {
	to := dsl.Aim(t.h(), topic, "To")
	n := t.h().EndChanges(dsl.Step{Call: "To", Kind: "sink"}, func(env graph.Env, n *graph.Node) record.ChangeFn[K, V] {
		send := to.Send(env, n)
		return func(m *record.Meta, k K, c record.Change[V]) {
			m.NoKey, m.NoValue = false, !c.HasNew
			send(m, k, c.New)
		}
	})
	n.Topics = to.Topics()
}

// Then returns f(t), so that a chain goes on: t.Then(kstream.FromTable).
func (t Table[K, V]) Then[R any](f func(Table[K, V]) R) R { return f(t) }

// WithSerdes sets both serdes, after verbs that changed both types. A serde is needed where bytes are: at topics and
// stores.
func (t Table[K, V]) WithSerdes(key serde.Serde[K], value serde.Serde[V]) Table[K, V] {
	return t.with(t.h().WithKey(key).WithValue(value))
}

// WithValueSerde sets the serde of values, after a verb that changed their type.
func (t Table[K, V]) WithValueSerde(s serde.Serde[V]) Table[K, V] { return t.with(t.h().WithValue(s)) }

// OnError sets the error policy of the verbs called on the result, and on what follows from it. Nil goes back to that of
// the source topic. It is asked about single records: for a table with store.NoCache, and where a join looks a row up.
// What fails when a row is forwarded at a commit stops the app, since there is no record to skip: a row is what many
// records made of it.
func (t Table[K, V]) OnError(p topology.ErrorPolicy) Table[K, V] { return t.with(t.h().WithPolicy(p)) }

// As names the last step in descriptions, metrics and errors. Names are unique in a topology. The name of the table's
// store stays as it is.
func (t Table[K, V]) As(name string) Table[K, V] { return t.with(t.h().Named(name)) }

// Store returns the table's store, for processors and queries. A table that has none, because it is computed from
// another, gives the zero spec, which is a build error where it is used: call Materialize first.
func (t Table[K, V]) Store() store.KeyValueSpec[K, V] { return t.t().Spec() }

// call is a verb with the name it was given, as errors show it.
func call(verb, name string) string { return fmt.Sprintf("%s(%q)", verb, name) }
