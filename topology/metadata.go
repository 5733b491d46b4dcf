package topology

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// maxMetadata is how long the metadata of a committed offset may get, bytes. Brokers refuse more than 4,096 unless they are
// told otherwise (offset.metadata.max.bytes), and then every commit.
const maxMetadata = 3500

// tooMuchMetadata finds subtopologies whose clocks do not fit into the metadata of offsets: they would run until all clocks
// have been seen, and then fail to commit.
func tooMuchMetadata(subs []*graph.Sub) []graph.Problem {
	var problems []graph.Problem
	for _, s := range subs {
		names := clocks(s)
		if size := metadataSize(names); size > maxMetadata {
			slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
			n := s.Nodes[0]
			problems = append(problems, graph.Problem{At: n.At, Node: n.Call, Err: fmt.Errorf(
				"the steps connected with this one keep %d event times, which take up to %d bytes beside each committed offset, and brokers refuse more than 4096 (the limit is %d): give stores of windows and sessions shorter names (the longest: %s), or part the steps with Repartition",
				len(names), size, maxMetadata, strings.Join(names[:min(3, len(names))], ", "))})
		}
	}
	return problems
}

// clocks returns the names of all clocks that a subtopology may ask for.
func clocks(s *graph.Sub) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, n := range s.Nodes {
		for _, name := range n.Clocks {
			add(name)
		}
	}
	for _, d := range s.Stores {
		for _, name := range storeClocks(d) {
			add(name)
		}
	}
	return names
}

// storeClocks returns the names of the clocks of a store, as internal/rows asks for them.
func storeClocks(d *decl.Store) []string {
	switch d.Kind {
	case decl.Window, decl.Session:
		names := []string{d.Name + "/t"}
		if d.Duplicates {
			names = append(names, d.Name+"/n")
		}
		return names
	case decl.Held:
		return []string{d.Name}
	}
	return nil
}

// metadataSize returns the length of the metadata of an offset in which all clocks are told: base64 of a version, the
// partition time, a count, per clock a length, the name and a time, and the same for a seal of one letter.
func metadataSize(names []string) int {
	n := 1 + 8 + 4 + 4 + 1 + 8
	for _, name := range names {
		n += 4 + len(name) + 8
	}
	return base64.StdEncoding.EncodedLen(n)
}
