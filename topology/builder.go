package topology

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/graph"
)

// Builder collects the steps of one topology. kstream.From and ktable.From begin with it; their verbs add to it. Errors
// are kept and returned by Build, so that a program can be written without looking at one after each verb.
//
// A Builder is used by one goroutine.
type Builder graph.Builder

// NewBuilder returns an empty builder.
func NewBuilder() *Builder { return (*Builder)(graph.NewBuilder(graph.Caller())) }

// Topology is a checked, immutable graph. Any number of apps, and test drivers, may run it.
type Topology graph.Plan

// Build checks the graph and returns it, or all errors found joined in one: each is a *BuildError with file and line.
// After Build succeeded the builder is at its end: further verbs panic, and Build returns the same topology again.
func (b *Builder) Build() (*Topology, error) {
	g := (*graph.Builder)(b)
	if p := g.Plan(); p != nil {
		return (*Topology)(p), nil
	}
	if err := joined(append(g.Problems(), check(g)...)); err != nil {
		return nil, err
	}
	nodes, globals := apart(g.Nodes())
	p := &graph.Plan{Nodes: nodes, Subs: split(g.Nodes(), g.Groups()), Globals: globals}
	for _, s := range p.Subs {
		s.Idle = g.Idle()
	}
	if err := joined(tooMuchMetadata(p.Subs)); err != nil {
		return nil, err
	}
	g.Freeze(p)
	return (*Topology)(p), nil
}

// joined returns problems as one error, nil for none.
func joined(problems []graph.Problem) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = &BuildError{At: p.At, Node: p.Node, Err: p.Err}
	}
	return errors.Join(errs...)
}

// BuildError is one error found while building.
type BuildError struct {
	At   string // file:line of the call that is wrong
	Node string // the step, as the program writes it: Repartition("by-place"); "" if it is not about one step
	Err  error  // what is wrong and what to do
}

func (e *BuildError) Error() string {
	if e.Node == "" {
		return fmt.Sprintf("%s: %v", e.At, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.At, e.Node, e.Err)
}

func (e *BuildError) Unwrap() error { return e.Err }

// Must returns v, or panics with err. It is for programs that cannot go on without v, and for tests:
//
//	top := topology.Must(b.Build())
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
