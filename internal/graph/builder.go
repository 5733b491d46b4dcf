package graph

import (
	"fmt"
	"slices"
	"time"
)

// A Builder collects nodes, and what is wrong with them, until Freeze. topology.Builder has it as underlying type, so
// that kstream and ktable get at it by a conversion: (*graph.Builder)(b).
type Builder struct {
	at       string
	nodes    []*Node
	groups   []Group
	problems []Problem
	later    []func() []Problem
	renamed  map[*Node]string // where a node got its name by Rename
	plan     *Plan
	idle     time.Duration
}

// NewBuilder returns an empty builder that remembers where it was made, as file:line.
func NewBuilder(at string) *Builder { return &Builder{at: at} }

// A Problem is one mistake found while building. topology.Build makes a *topology.BuildError of it.
type Problem struct {
	At   string // file:line
	Node string // the step, as the program writes it: Repartition("by-place")
	Err  error
}

// A Group says that all sources upstream of a node must have equal numbers of partitions, since the node needs equal
// keys in one task.
type Group struct {
	Node  *Node
	Sides []*Node // the nodes whose sources are meant
}

// Add numbers a node, connects it to its parents and returns it. It panics after Freeze: a topology is immutable.
func (b *Builder) Add(n *Node) *Node {
	if b.plan != nil {
		panic(fmt.Sprintf("topology: %s: %s is called after Build: a topology is immutable, use a new Builder", n.At, n.Call))
	}
	n.ID = len(b.nodes)
	n.Named = n.Name != ""
	if !n.Named {
		n.Name = fmt.Sprintf("%s-%d", n.Kind, n.ID)
	}
	b.nodes = append(b.nodes, n)
	parents := n.Parents
	n.Parents = nil
	for _, p := range parents {
		n.AddParent(p)
	}
	return n
}

// AddParent connects n to one more parent, which must have been added before n. A parent may be added twice: n then gets
// its records twice.
func (n *Node) AddParent(p *Node) {
	n.Parents = append(n.Parents, p)
	p.Children = append(p.Children, n)
}

// Rename names a node that was added without a name, or whose name was that of a store. A second, different name is a
// mistake.
func (b *Builder) Rename(n *Node, name, at string) {
	if b.plan != nil {
		panic(fmt.Sprintf("topology: %s: As(%q) is called after Build: a topology is immutable, use a new Builder", at, name))
	}
	if prev := b.renamed[n]; prev != "" && n.Name != name {
		b.Report(at, fmt.Sprintf("As(%q)", name), fmt.Errorf("the step was named %q at %s: give it one name", n.Name, prev))
		return
	}
	if b.renamed == nil {
		b.renamed = map[*Node]string{}
	}
	n.Name, n.Named, b.renamed[n] = name, true, at
}

// Report keeps a mistake for Build.
func (b *Builder) Report(at, node string, err error) {
	b.problems = append(b.problems, Problem{at, node, err})
}

// Copartition demands equal numbers of partitions of all sources upstream of sides, on behalf of n.
func (b *Builder) Copartition(n *Node, sides ...*Node) {
	b.groups = append(b.groups, Group{n, sides})
}

// SetIdle sets Sub.Idle of all subtopologies.
func (b *Builder) SetIdle(d time.Duration) { b.idle = d }

// Idle returns what SetIdle was given.
func (b *Builder) Idle() time.Duration { return b.idle }

// At returns where the builder was made.
func (b *Builder) At() string { return b.at }

// Nodes returns the nodes added so far.
func (b *Builder) Nodes() []*Node { return b.nodes }

// Groups returns what was demanded by Copartition.
func (b *Builder) Groups() []Group { return b.groups }

// Later has f called at Build, for what can only be judged when the program has said all: f returns what is wrong.
func (b *Builder) Later(f func() []Problem) { b.later = append(b.later, f) }

// Problems returns what was reported, and what the functions given to Later find.
func (b *Builder) Problems() []Problem {
	all := slices.Clone(b.problems)
	for _, f := range b.later {
		all = append(all, f()...)
	}
	return all
}

// Freeze ends building. The plan must not be nil.
func (b *Builder) Freeze(p *Plan) { b.plan = p }

// Plan returns what Freeze was given, nil before.
func (b *Builder) Plan() *Plan { return b.plan }

// SourcesOf returns the sources upstream of the given nodes, each once, in the order they were added. Repartition topics
// end the search: their sources have no parents.
func SourcesOf(nodes ...*Node) []*Node {
	seen := map[*Node]bool{}
	var sources []*Node
	var visit func(n *Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.Source != nil {
			sources = append(sources, n)
		}
		for _, p := range n.Parents {
			visit(p)
		}
	}
	for _, n := range nodes {
		visit(n)
	}
	slices.SortFunc(sources, func(a, b *Node) int { return a.ID - b.ID })
	return sources
}
