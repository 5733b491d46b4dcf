package kstream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// Async bounds MapValuesAsync. The zero value runs 64 calls at once, and keeps input order.
type Async struct {
	Parallel  int           // calls at once per task; 0 means 64
	Timeout   time.Duration // of one call; 0 means 30 s
	Retries   int           // attempts after a failed one, before the error policy is asked
	Backoff   time.Duration // before the first retry, doubled each time; 0 means 100 ms
	Unordered bool          // a slow call holds back the records of its partition only; order is kept per key and topic
}

// longest is how long a call may take, with all its attempts. What waits for it is not committed, and is done again after a
// restart.
const longest = 10 * time.Minute

// MapValuesAsync maps each value with f, which may wait for another system: many calls run at once, on goroutines of their
// own, and outside of transactions. Results go on in the order of the input. A record is taken up when all its calls are
// answered; offsets are committed up to there, so after a crash calls are made again, never left out. Deletions pass without
// a call.
//
// f must return soon after ctx ends: at the timeout, or when nobody waits for the answer any more. An error, or a panic, is
// tried again; after the last attempt it is an error of the record, and the error policy decides.
//
// The verbs between the source and MapValuesAsync run twice for each record and must give the same both times. They must keep
// no state: call Repartition after those that do. Functions given to Peek run once.
func (s Stream[K, V]) MapValuesAsync[V2 any](f func(context.Context, K, V) (V2, error), a Async) Stream[K, V2] {
	step := dsl.Step{Call: "MapValuesAsync", Kind: "map-values-async", NilFunc: f == nil}
	out := s.h().MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			var v2 V2
			if !m.NoValue {
				m.Node = id
				c, done, err := env.Await(n, func() graph.Call { return &asyncCall[K, V, V2]{f: f, k: k, v: v} })
				if !done {
					return
				}
				if err != nil {
					record.Fail(id, err)
				}
				v2 = c.(*asyncCall[K, V, V2]).out
			}
			next(m, k, v2)
		}
	})
	n := out.Node()
	n.Async = a.bounds()
	b := s.h().Builder(step.Call)
	if err := a.wrong(n.Async); err != nil {
		b.Report(n.At, step.Call, err)
	}
	b.Later(func() []graph.Problem {
		if state := keepsState(n); state != nil {
			return []graph.Problem{{At: n.At, Node: step.Call, Err: fmt.Errorf("%s (%s) stands between it and its source, and may not run ahead of its turn: call Repartition(\"…\") in between", state.Call, state.At)}}
		}
		return nil
	})
	return Stream[K, V2](out)
}

// bounds fills in what zero means.
func (a Async) bounds() *graph.Async {
	g := &graph.Async{Parallel: a.Parallel, Timeout: a.Timeout, Retries: a.Retries, Backoff: a.Backoff, Unordered: a.Unordered}
	if g.Parallel == 0 {
		g.Parallel = 64
	}
	if g.Timeout == 0 {
		g.Timeout = 30 * time.Second
	}
	if g.Backoff == 0 {
		g.Backoff = 100 * time.Millisecond
	}
	return g
}

func (a Async) wrong(g *graph.Async) error {
	switch {
	case a.Parallel < 0:
		return fmt.Errorf("Async.Parallel is %d: want 1 or more, or 0 for 64", a.Parallel)
	case a.Timeout < 0, a.Retries < 0, a.Backoff < 0:
		return fmt.Errorf("Async.Timeout is %v, Retries %d, Backoff %v: none may be negative", a.Timeout, a.Retries, a.Backoff)
	case g.Bound() > longest:
		return fmt.Errorf("a call may take %v with its retries and the time between them: want at most %v, lower Async.Timeout or Retries", g.Bound(), longest)
	}
	return nil
}

// stateless are the kinds of steps that may run on a record before its turn.
var stateless = []string{
	"source", "filter", "filter-not", "drop-deletes", "filter-map-values", "map", "map-record", "map-values", "map-values-async",
	"flat-map", "flat-map-values", "select-key", "with-headers", "peek", "merge", "split", "case", "default",
}

// keepsState returns a step upstream of n that may not run on a record before its turn, nil if there is none.
func keepsState(n *graph.Node) *graph.Node {
	for _, p := range n.Parents {
		if len(p.Stores) > 0 || !slices.Contains(stateless, p.Kind) {
			return p
		}
		if up := keepsState(p); up != nil {
			return up
		}
	}
	return nil
}

// An asyncCall is a call for one record, and what came of it.
type asyncCall[K, V, V2 any] struct {
	f   func(context.Context, K, V) (V2, error)
	k   K
	v   V
	out V2
}

// Try implements graph.Call.
func (c *asyncCall[K, V, V2]) Try(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = topology.NewPanicError(p)
		}
	}()
	c.out, err = c.f(ctx, c.k, c.v)
	return err
}
