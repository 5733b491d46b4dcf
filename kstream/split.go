package kstream

import (
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Split starts sharing the stream out: each record goes to the first case that accepts it.
//
//	p := orders.Split()
//	big := p.Case(func(_ string, o Order) bool { return o.Cents > 100_000 })
//	rest := p.Default()
func (s Stream[K, V]) Split() *Split[K, V] {
	p := &Split[K, V]{}
	h := s.h().Pass(dsl.Step{Call: "Split", Kind: "split"}, func(_ graph.Env, _ *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		return next
	})
	p.h = h
	h.Node().Fan = p.share
	return p
}

// Split is a stream being shared out. A record that no case takes, and for which there is no Default, is dropped. Cases
// are asked in the order in which they were made.
type Split[K, V any] struct {
	h     dsl.Handle[K, V] // of the split's node, whose children are the cases
	cases []aCase[K, V]    // one per child
	rest  *Stream[K, V]    // of Default, once it was called
}

type aCase[K, V any] struct {
	node *graph.Node
	keep func(K, V) bool // nil: the default
}

// Case returns the records keep accepts, of those no earlier case took, and all deletions: they must reach whatever table
// a case feeds.
func (p *Split[K, V]) Case(keep func(K, V) bool) Stream[K, V] {
	return p.add(dsl.Step{Call: "Case", Kind: "case", NilFunc: keep == nil}, keep)
}

// Default returns the records no case took, and all deletions. Called again, it returns the same stream.
func (p *Split[K, V]) Default() Stream[K, V] {
	if p.rest == nil {
		s := p.add(dsl.Step{Call: "Default", Kind: "default"}, nil)
		p.rest = &s
	}
	return *p.rest
}

func (p *Split[K, V]) add(step dsl.Step, keep func(K, V) bool) Stream[K, V] {
	h := p.h.Pass(step, func(_ graph.Env, _ *graph.Node, next record.Fn[K, V]) record.Fn[K, V] { return next })
	p.cases = append(p.cases, aCase[K, V]{h.Node(), keep})
	return Stream[K, V](h)
}

// share makes the function of the split's node of those of its cases. The case whose predicate runs is the node that
// errors name.
func (p *Split[K, V]) share(downs []any) any {
	type branch struct {
		id   int32
		keep func(K, V) bool
		next record.Fn[K, V]
	}
	var branches []branch
	var rest record.Fn[K, V]
	all := make([]record.Fn[K, V], len(downs))
	for i, c := range p.cases {
		all[i] = downs[i].(record.Fn[K, V])
		if c.keep == nil {
			rest = all[i]
		} else {
			branches = append(branches, branch{int32(c.node.ID), c.keep, all[i]})
		}
	}
	return record.Fn[K, V](func(m *record.Meta, k K, v V) {
		if m.NoValue {
			saved := *m
			for _, f := range all {
				*m = saved
				f(m, k, v)
			}
			return
		}
		for i := range branches {
			b := &branches[i]
			if m.Node = b.id; b.keep(k, v) {
				b.next(m, k, v)
				return
			}
		}
		if rest != nil {
			rest(m, k, v)
		}
	})
}
