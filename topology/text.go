package topology

import (
	"fmt"
	"strings"

	"github.com/millrace-streams/millrace/internal/graph"
)

// String describes the graph in the format of Kafka Streams' Topology.describe, so that tools that read one read the
// other.
func (t *Topology) String() string {
	var b strings.Builder
	b.WriteString("Topologies:\n")
	for _, s := range t.Subs {
		fmt.Fprintf(&b, "   Sub-topology: %d\n", s.ID)
		for _, n := range s.Nodes {
			describeNode(&b, n)
		}
		b.WriteString("\n")
	}
	for i, g := range t.Globals {
		fmt.Fprintf(&b, "   Sub-topology: %d for global store (will not generate tasks)\n", len(t.Subs)+i)
		fmt.Fprintf(&b, "    Source: %s (topics: [%s], stores: [%s])\n\n", g.Node.Name, g.Topic, g.Store.Name)
	}
	return b.String()
}

func describeNode(b *strings.Builder, n *graph.Node) {
	list := func(names []string) string {
		if len(names) == 0 {
			return "none"
		}
		return strings.Join(names, ", ")
	}
	switch {
	case n.Source != nil:
		fmt.Fprintf(b, "    Source: %s (topics: %s)\n", n.Name, sourceTopics(n))
		fmt.Fprintf(b, "      --> %s\n", list(nodeNames(n.Children)))
	case isSink(n):
		fmt.Fprintf(b, "    Sink: %s (%s)\n", n.Name, sinkTopic(n))
		fmt.Fprintf(b, "      <-- %s\n", list(nodeNames(n.Parents)))
	default:
		fmt.Fprintf(b, "    Processor: %s (stores: [%s])\n", n.Name, strings.Join(storeNames(n), ", "))
		fmt.Fprintf(b, "      --> %s\n", list(nodeNames(n.Children)))
		fmt.Fprintf(b, "      <-- %s\n", list(nodeNames(n.Parents)))
	}
}

func isSink(n *graph.Node) bool { return n.Kind == "sink" || n.Kind == "sink-each" }

func sourceTopics(n *graph.Node) string {
	if len(n.Topics) == 1 && n.Topics[0].Pattern != "" {
		return n.Topics[0].Pattern
	}
	var names []string
	for _, t := range n.Topics {
		names = append(names, topicName(t))
	}
	return "[" + strings.Join(names, ", ") + "]"
}

func sinkTopic(n *graph.Node) string {
	if len(n.Topics) == 0 {
		return "topic chosen per record"
	}
	return "topic: " + topicName(n.Topics[0])
}
