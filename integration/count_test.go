package integration

import (
	"os"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// countTopology counts the records of each key, and sends every count on.
func countTopology() (*topology.Topology, error) {
	app := os.Getenv("MILLRACE_APP")
	b := topology.NewBuilder()
	kstream.From(b, topology.NewTopic(app+"-in", serde.String, serde.String)).
		GroupByKey().
		Count("counts", store.NoCache()).
		To(topology.NewTopic(app+"-out", serde.String, serde.Int64))
	return b.Build()
}
