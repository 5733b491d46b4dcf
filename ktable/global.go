package ktable

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Global is a table of which every process holds all partitions: small data that records of any key are joined with. Look
// it up with the JoinGlobal verbs of a stream or, in a processor, with topology.Task.Global.
type Global[K, V any] dsl.Global[K, V]

// GlobalFrom reads a topic as a global table kept in the named store: a record is the new row of its key, one without a
// value deletes the row. Records without a key are dropped and counted. The topic is the table's changelog: it must be
// compacted, or have all rows.
//
// The table is complete before the first task runs. From then on it follows its topic, in no order with what tasks
// process, and outside of transactions: a look-up sees the row that was read last. A record that cannot be decoded is
// skipped if the error policy of the topic or of the app says Skip, and ends the app otherwise.
func GlobalFrom[K, V any](b *topology.Builder, t topology.Topic[K, V], name string, opts ...store.Option) Global[K, V] {
	return Global[K, V](dsl.NewGlobal((*graph.Builder)(b), t, call("GlobalFrom", name), name, opts))
}

// Store returns the table's store, for processors and queries. It is read-only.
func (g Global[K, V]) Store() store.KeyValueSpec[K, V] { return dsl.Global[K, V](g).Spec() }
