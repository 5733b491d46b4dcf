package topology

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/graph"
)

// Description is a topology as data: for pages, tools and tests.
type Description struct {
	Subtopologies []Subtopology
	Globals       []Node // sources of global tables, which run in no task
}

// Subtopology is a connected part of a topology. One task runs it per partition.
type Subtopology struct {
	ID    int    // numbered in the order of their first sources; moves when the topology is edited
	Nodes []Node // children after their parents
	// Fingerprint stays the same while this part does the same steps with the same names, stores and topics, whatever
	// else of the topology changes. Processes that run different versions of a program compare it.
	Fingerprint string
}

// Node is one step of a topology.
type Node struct {
	Name   string   // the name given, or the kind and a number
	Kind   string   // source, filter, count, sink …
	At     string   // file:line of the call that made it
	Stores []string // stores it reads or writes
	Topics []string // of a source or sink; a pattern as it was given; repartition topics without the application id
	Next   []string // names of the steps it hands records to
}

// Describe returns the graph as data.
func (t *Topology) Describe() Description {
	var d Description
	for _, s := range t.Subs {
		sub := Subtopology{ID: s.ID, Fingerprint: fmt.Sprintf("%016x", s.Fingerprint)}
		for _, n := range s.Nodes {
			node := Node{Name: n.Name, Kind: n.Kind, At: n.At, Stores: storeNames(n), Next: nodeNames(n.Children)}
			for _, t := range n.Topics {
				node.Topics = append(node.Topics, topicName(t))
			}
			sub.Nodes = append(sub.Nodes, node)
		}
		d.Subtopologies = append(d.Subtopologies, sub)
	}
	for _, g := range t.Globals {
		d.Globals = append(d.Globals, Node{Name: g.Node.Name, Kind: g.Node.Kind, At: g.Node.At, Stores: storeNames(g.Node), Topics: []string{g.Topic}})
	}
	return d
}

func storeNames(n *graph.Node) []string {
	var names []string
	for _, s := range n.Stores {
		names = append(names, s.Name)
	}
	return names
}

func nodeNames(nodes []*graph.Node) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	return names
}
