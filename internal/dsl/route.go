package dsl

import (
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Ends are the functions behind a node that may send to a single one of its children.
type Ends[K, V any] struct {
	All   record.Fn[K, V] // to all children
	names []string
	each  []record.Fn[K, V] // per child
}

// To returns the function of the child with a name, nil if there is none. A child that was added twice gets a record twice.
func (e Ends[K, V]) To(name string) record.Fn[K, V] {
	var found []any
	for i, f := range e.each {
		if e.names[i] == name {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return Fan[K, V](found).(record.Fn[K, V])
}

// Names returns the names of the children.
func (e Ends[K, V]) Names() []string { return e.names }

// Route adds a step like Map, which may also send to a single one of its children.
func (h Handle[K, V]) Route[K2, V2 any](s Step, wire func(env graph.Env, n *graph.Node, ends Ends[K2, V2]) record.Fn[K, V]) Handle[K2, V2] {
	fan := func(downs []any) any {
		e := Ends[K2, V2]{All: Fan[K2, V2](downs).(record.Fn[K2, V2])}
		for _, d := range downs {
			e.each = append(e.each, d.(record.Fn[K2, V2]))
		}
		return e
	}
	n := add(h, s, fan, func(env graph.Env, n *graph.Node, e Ends[K2, V2]) record.Fn[K, V] {
		for _, c := range n.Children {
			e.names = append(e.names, c.Name)
		}
		return wire(env, n, e)
	})
	return Handle[K2, V2]{b: h.b, n: n, moved: n.At, policy: h.policy}
}
