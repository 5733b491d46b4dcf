package topology

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// split makes subtopologies: nodes that are connected by edges or by a store they share. A repartition topic connects
// nothing, since its two ends are different nodes. They are numbered in the order of their first sources, as Kafka
// Streams numbers them.
func split(all []*graph.Node, groups []graph.Group) []*graph.Sub {
	nodes, _ := apart(all)
	parent := make([]int, len(all)) // by id
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	users := map[*decl.Store]int{}
	for _, n := range nodes {
		for _, p := range n.Parents {
			parent[find(n.ID)] = find(p.ID)
		}
		for _, s := range n.Stores {
			if user, ok := users[s]; ok {
				parent[find(n.ID)] = find(user)
			}
			users[s] = n.ID
		}
	}

	var subs []*graph.Sub
	of := map[int]*graph.Sub{}
	for _, n := range nodes {
		if n.Source != nil && of[find(n.ID)] == nil {
			s := &graph.Sub{ID: len(subs)}
			subs = append(subs, s)
			of[find(n.ID)] = s
		}
	}
	for _, n := range nodes {
		s := of[find(n.ID)]
		s.Nodes = append(s.Nodes, n)
		if n.Source != nil {
			s.Sources = append(s.Sources, n)
		}
		for _, d := range n.Stores {
			if !slices.Contains(s.Stores, d) {
				s.Stores = append(s.Stores, d)
			}
		}
	}
	for _, g := range groups {
		var topics []*graph.Topic
		for _, n := range graph.SourcesOf(g.Sides...) {
			topics = append(topics, n.Topics...)
		}
		if len(topics) > 1 || len(topics) == 1 && topics[0].Pattern != "" {
			s := of[find(g.Node.ID)]
			s.Groups = append(s.Groups, graph.Copartition{Node: g.Node.Name, At: g.Node.At, Topics: topics})
		}
	}
	for _, s := range subs {
		s.Fingerprint = fingerprint(s)
	}
	return subs
}

// apart returns the nodes that run in tasks, and the global tables, which do not.
func apart(all []*graph.Node) (nodes []*graph.Node, globals []*graph.Global) {
	for _, n := range all {
		if n.Source != nil && n.Source.Global != nil {
			globals = append(globals, n.Source.Global)
			continue
		}
		nodes = append(nodes, n)
	}
	return nodes, globals
}

// fingerprint hashes what a subtopology does, in an order that only depends on itself.
func fingerprint(s *graph.Sub) uint64 {
	h := fnv.New64a()
	number := func(n int) { h.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) }
	text := func(s string) { number(len(s)); h.Write([]byte(s)) }
	place := map[*graph.Node]int{}
	number(len(s.Nodes))
	for i, n := range s.Nodes {
		place[n] = i
		text(n.Kind)
		if n.Named {
			text(n.Name)
		} else {
			text("") // a counted name changes with edits elsewhere
		}
		number(len(n.Stores))
		for _, d := range n.Stores {
			text(d.Kind.String())
			text(d.Name)
		}
		number(len(n.Topics))
		for _, t := range n.Topics {
			text(topicName(t))
		}
		number(len(n.Parents))
		for _, p := range n.Parents {
			number(place[p])
		}
	}
	return h.Sum64()
}

// topicName names a topic without an application: Kafka Streams' name without the prefix, or the pattern.
func topicName(t *graph.Topic) string {
	if t.Pattern != "" {
		return t.Pattern
	}
	return t.Base()
}
