package dsl

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A Step describes the node that a verb adds.
type Step struct {
	Call     string // as the program writes it: Filter, Count("word-counts")
	Kind     string // filter, count
	Name     string // of the node, if the verb takes one
	NilFunc  bool   // a function the verb was given is nil
	Stores   []*decl.Store
	NullKeys bool // records without a key are of use to it
	ByKey    bool // looks its key-value stores up under the record's key
	Old      graph.OldUse
	Clocks   []string
	Close    *graph.Close
}

// The methods below add a node and return the handle on its output, which forgets both serdes. They differ in the edges
// before and after it: records of a stream (Fn) or changes of a table (ChangeFn). wire makes the function of one task.

// Map adds a step from a stream to a stream of other keys.
func (h Handle[K, V]) Map[K2, V2 any](s Step, wire func(env graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V]) Handle[K2, V2] {
	n := add(h, s, Fan[K2, V2], wire)
	n.NewKey = true
	return Handle[K2, V2]{b: h.b, n: n, moved: n.At, policy: h.policy}
}

// MapValues adds a step from a stream to a stream of the same keys.
func (h Handle[K, V]) MapValues[V2 any](s Step, wire func(env graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V]) Handle[K, V2] {
	n := add(h, s, Fan[K, V2], wire)
	return Handle[K, V2]{b: h.b, n: n, key: h.key, moved: h.moved, policy: h.policy}
}

// Pass adds a step from a stream to a stream that changes neither keys nor values: the handle keeps its serdes.
func (h Handle[K, V]) Pass(s Step, wire func(env graph.Env, n *graph.Node, next record.Fn[K, V]) record.Fn[K, V]) Handle[K, V] {
	return h.MapValues(s, wire).WithValue(h.value)
}

// Fold adds a step from a stream to a table.
func (h Handle[K, V]) Fold[A any](s Step, wire func(env graph.Env, n *graph.Node, next record.ChangeFn[K, A]) record.Fn[K, V]) Handle[K, A] {
	n := add(h, s, FanChanges[K, A], wire)
	return Handle[K, A]{b: h.b, n: n, key: h.key, policy: h.policy}
}

// Change adds a step from a table to a table.
func (h Handle[K, V]) Change[V2 any](s Step, wire func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V2]) record.ChangeFn[K, V]) Handle[K, V2] {
	n := add(h, s, FanChanges[K, V2], func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V2]) record.ChangeFn[K, V] {
		return h.withoutNulls(wire(env, n, next))
	})
	return Handle[K, V2]{b: h.b, n: n, key: h.key, policy: h.policy}
}

// Meet adds a step from two tables to one: the changes that two steps, one after each, made of theirs.
func (h Handle[K, V]) Meet(s Step, other Handle[K, V]) Handle[K, V] {
	n := add(h, s, FanChanges[K, V], func(_ graph.Env, _ *graph.Node, next record.ChangeFn[K, V]) record.ChangeFn[K, V] { return next })
	n.AddParent(other.n)
	return Handle[K, V]{b: h.b, n: n, key: h.key, policy: h.policy}
}

// withoutNulls returns f for the changes of a table whose serde writes some values as null: such a value is no row.
func (h Handle[K, V]) withoutNulls(f record.ChangeFn[K, V]) record.ChangeFn[K, V] {
	null := topics.Null(h.Value())
	if null == nil {
		return f
	}
	return func(m *record.Meta, k K, c record.Change[V]) {
		var none V
		if c.HasNew && null(c.New) {
			c.New, c.HasNew = none, false
		}
		if c.HasOld && null(c.Old) {
			c.Old, c.HasOld = none, false
		}
		f(m, k, c)
	}
}

// Unfold adds a step from a table to a stream.
func (h Handle[K, V]) Unfold[V2 any](s Step, wire func(env graph.Env, n *graph.Node, next record.Fn[K, V2]) record.ChangeFn[K, V]) Handle[K, V2] {
	n := add(h, s, Fan[K, V2], func(env graph.Env, n *graph.Node, next record.Fn[K, V2]) record.ChangeFn[K, V] {
		return h.withoutNulls(wire(env, n, next))
	})
	return Handle[K, V2]{b: h.b, n: n, key: h.key, policy: h.policy}
}

// End adds a step that nothing follows.
func (h Handle[K, V]) End(s Step, wire func(env graph.Env, n *graph.Node) record.Fn[K, V]) *graph.Node {
	return add(h, s, Fan[K, V], func(env graph.Env, n *graph.Node, _ record.Fn[K, V]) record.Fn[K, V] { return wire(env, n) })
}

// EndChanges adds a step after a table that nothing follows.
func (h Handle[K, V]) EndChanges(s Step, wire func(env graph.Env, n *graph.Node) record.ChangeFn[K, V]) *graph.Node {
	return add(h, s, Fan[K, V], func(env graph.Env, n *graph.Node, _ record.Fn[K, V]) record.ChangeFn[K, V] {
		return h.withoutNulls(wire(env, n))
	})
}

// add is the one place where a typed step becomes an untyped node, and wiring the one where it comes back.
func add[K, V, In, Out any](h Handle[K, V], s Step, fan func([]any) any, wire func(env graph.Env, n *graph.Node, next Out) In) *graph.Node {
	n := s.node(h.Builder(s.Call), h.n, h.policy)
	n.Fan = fan
	n.Wire = func(env graph.Env, down any) any { return wire(env, n, down.(Out)) }
	return n
}

// node adds a node without functions. What does not depend on types is compiled once.
func (s *Step) node(b *graph.Builder, parent *graph.Node, policy topology.ErrorPolicy) *graph.Node {
	n := &graph.Node{
		Kind: s.Kind, Name: s.Name, Call: s.Call, At: graph.Caller(),
		Parents: []*graph.Node{parent}, Stores: s.Stores, NullKeys: s.NullKeys, ByKey: s.ByKey, Old: s.Old, Clocks: s.Clocks, Close: s.Close,
	}
	if policy != nil {
		n.Policy = policy
	}
	if s.NilFunc {
		b.Report(n.At, s.Call, errors.New("the function is nil: pass one"))
	}
	return b.Add(n)
}

// Retyped returns the handle of values of another type with their serde: for stores whose values are not the stream's.
func Retyped[K, V, A any](h Handle[K, V], s serde.Serde[A]) Handle[K, A] {
	return Handle[K, A]{b: h.b, n: h.n, key: h.key, value: s, policy: h.policy}
}

// CopartitionSources demands that all topics whose records meet at h's node have equal numbers of partitions, since equal
// keys of theirs must be in one task.
func CopartitionSources[K, V any](h Handle[K, V]) { h.b.Copartition(h.n, h.n) }
