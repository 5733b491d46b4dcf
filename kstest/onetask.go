package kstest

import (
	"slices"

	"github.com/millrace-streams/millrace/internal/graph"
)

// OneTask runs all subtopologies as one task: under one stream time, in one order of event times over all topics, repartition
// topics too, and with one commit for all. Of heads with equal event times that of the topic whose name sorts first goes first.
// Every topic has one partition, whatever Repartition says. Changelogs of stores with
// store.NoCache also tell deletions of rows that no commit has had.
//
// It is how TopologyTestDriver of Kafka Streams runs a topology: use it to compare with tests written for that. Production runs
// subtopologies as tasks of their own, as a Driver does without this option.
func OneTask() Option { return Option{func(o *options) { o.oneTask = true }} }

// together returns the plan with a single subtopology of all nodes.
func together(p *graph.Plan) *graph.Plan {
	one := &graph.Sub{Nodes: p.Nodes}
	for _, n := range p.Nodes {
		if n.Source != nil {
			one.Sources = append(one.Sources, n)
		}
		for _, s := range n.Stores {
			if !slices.Contains(one.Stores, s) {
				one.Stores = append(one.Stores, s)
			}
		}
	}
	return &graph.Plan{Nodes: p.Nodes, Subs: []*graph.Sub{one}, Globals: p.Globals}
}
