package topology

import (
	"fmt"
	"strings"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// Mermaid returns the graph as a Mermaid flowchart, which many Markdown viewers draw: topics as tubes, stores as drums,
// one frame per subtopology.
func (t *Topology) Mermaid() string {
	m := mermaid{topics: map[string]string{}}
	m.line("flowchart TD")
	for _, s := range t.Subs {
		m.line("  subgraph s%d [Sub-topology %d]", s.ID, s.ID)
		for _, n := range s.Nodes {
			m.line("    n%d[%q]", n.ID, label(n.Name))
		}
		for i, d := range s.Stores {
			m.line("    s%dd%d[(%q)]", s.ID, i, label(d.Name))
		}
		m.line("  end")
		for _, n := range s.Nodes {
			m.edges(n)
			for i, d := range s.Stores {
				if uses(n, d) {
					m.line("  n%d --- s%dd%d", n.ID, s.ID, i)
				}
			}
		}
	}
	return m.b.String()
}

type mermaid struct {
	b      strings.Builder
	topics map[string]string // name → id, for topics drawn already
}

func (m *mermaid) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

func (m *mermaid) edges(n *graph.Node) {
	for _, t := range n.Topics {
		name := topicName(t)
		id := m.topics[name]
		if id == "" {
			id = fmt.Sprintf("t%d", len(m.topics))
			m.topics[name] = id
			m.line("  %s([%q])", id, label(name))
		}
		if n.Source != nil {
			m.line("  %s --> n%d", id, n.ID)
		} else {
			m.line("  n%d --> %s", n.ID, id)
		}
	}
	for _, c := range n.Children {
		m.line("  n%d --> n%d", n.ID, c.ID)
	}
}

// label takes out what would end a quoted Mermaid label; only patterns can contain it.
func label(s string) string { return strings.NewReplacer(`"`, "#quot;", `\`, "#92;").Replace(s) }

func uses(n *graph.Node, d *decl.Store) bool {
	for _, s := range n.Stores {
		if s == d {
			return true
		}
	}
	return false
}
