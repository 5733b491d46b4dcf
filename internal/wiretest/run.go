package wiretest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A Run is one wired subtopology. It is a graph.Env. Its fields may be set before the first record and read after.
type Run struct {
	Sent    []record.Out     // copies of what was sent
	Logged  []record.Out     // changelog records that no row says
	Dropped map[string]int   // by "node reason"
	Counts  map[string]int32 // partitions of topics; 1 for others
	Stores  func(s *decl.Store) store.DB
	Wall    int64
	Stream  int64
	Timers  []func(now time.Time) error
	Idle    []func() // what operators do when event time moves on without records
	Quiet   bool     // do not keep what is sent
	NSent   int

	clocks   map[string]*graph.Clock
	meta     record.Meta
	arena    record.Arena
	sources  map[string]func(m *record.Meta, in *record.In)
	atCommit []commit
	in       *record.In
	topic    string
}

type commit struct {
	node int
	f    func()
}

// New wires subtopology number sub of t. stores may be nil if it has none.
func New(t testing.TB, top *topology.Topology, sub int, stores func(s *decl.Store) store.DB) *Run {
	t.Helper()
	r := &Run{Dropped: map[string]int{}, Counts: map[string]int32{}, Stores: stores, Stream: -1, sources: map[string]func(*record.Meta, *record.In){}, clocks: map[string]*graph.Clock{}}
	plan := (*graph.Plan)(top)
	wired := map[*graph.Node]any{}
	var down func(n *graph.Node) any
	wire := func(n *graph.Node) any {
		f, ok := wired[n]
		if !ok {
			f = n.Wire(r, down(n))
			wired[n] = f
		}
		return f
	}
	down = func(n *graph.Node) any {
		var downs []any
		for _, c := range n.Children {
			downs = append(downs, wire(c))
		}
		return n.Fan(downs)
	}
	for _, n := range plan.Subs[sub].Sources {
		f := n.Source.Wire(r, down(n))
		for _, topic := range n.Topics {
			r.sources[topic.Full(r.ApplicationID())] = f
		}
	}
	slices.SortStableFunc(r.atCommit, func(a, b commit) int { return a.node - b.node })
	return r
}

// Feed processes one record. It returns the failure the record ended with, if it did.
func (r *Run) Feed(topic string, in record.In) (failure *record.Failure) {
	defer r.recovered(&failure)
	r.in, r.topic = &in, topic
	r.meta = record.Meta{Time: in.Time, Headers: in.Headers}
	r.Stream = max(r.Stream, in.Time)
	r.sources[topic](&r.meta, &in)
	return nil
}

// Source returns the function of a source, for measuring.
func (r *Run) Source(topic string) func(m *record.Meta, in *record.In) { return r.sources[topic] }

// Fire runs all timers.
func (r *Run) Fire(ms int64) (failure *record.Failure) {
	defer r.recovered(&failure)
	r.in = nil
	for _, f := range r.Timers {
		if err := f(time.UnixMilli(ms)); err != nil {
			return &record.Failure{Err: err}
		}
	}
	return nil
}

// Commit forwards what waits for the commit. The caller commits the stores.
func (r *Run) Commit() (failure *record.Failure) {
	defer r.recovered(&failure)
	r.in = nil
	for _, c := range r.atCommit {
		c.f()
	}
	return nil
}

func (r *Run) recovered(failure **record.Failure) {
	switch p := recover().(type) {
	case nil:
	case record.Failure:
		*failure = &p
	default:
		panic(p)
	}
}

// The methods of graph.Env.

func (r *Run) Context() context.Context          { return context.Background() }
func (r *Run) TaskID() (int, int32)              { return 0, 0 }
func (r *Run) ApplicationID() string             { return "app" }
func (r *Run) Logger() *slog.Logger              { return slog.New(slog.DiscardHandler) }
func (r *Run) DB(s *decl.Store) store.DB         { return r.Stores(s) }
func (r *Run) Meta() *record.Meta                { return &r.meta }
func (r *Run) Arena() *record.Arena              { return &r.arena }
func (r *Run) StreamTime() int64                 { return r.Stream }
func (r *Run) Now() int64                        { return r.Wall }
func (r *Run) OnClose(func())                    {}
func (r *Run) RequestCommit()                    {}
func (r *Run) AtCommit(n *graph.Node, f func())  { r.atCommit = append(r.atCommit, commit{n.ID, f}) }
func (r *Run) AtIdle(_ *graph.Node, f func())    { r.Idle = append(r.Idle, f) }
func (r *Run) OnRollback(func())                 {}
func (r *Run) Drop(n *graph.Node, reason string) { r.Dropped[n.Name+" "+reason]++ }

// Await implements graph.Env: the call is made at once.
func (r *Run) Await(_ *graph.Node, ask func() graph.Call) (graph.Call, bool, error) {
	c := ask()
	return c, true, c.Try(context.Background())
}

// Clock implements graph.Env.
func (r *Run) Clock(name string) *graph.Clock {
	c := r.clocks[name]
	if c == nil {
		c = graph.NewClock(-1)
		r.clocks[name] = c
	}
	return c
}

// Clocks returns the names of the clocks that were asked for, sorted.
func (r *Run) Clocks() []string { return slices.Sorted(maps.Keys(r.clocks)) }

// Log implements graph.Env.
func (r *Run) Log(_ *decl.Store, key, value []byte, headers []record.Header, time int64) {
	r.Logged = append(r.Logged, record.Out{Key: key, Value: value, Headers: headers, Time: time})
}

func (r *Run) Send(o *record.Out) {
	if r.NSent++; !r.Quiet {
		r.Sent = append(r.Sent, *o)
	}
}

func (r *Run) Partitions(topic string) int32 {
	if n, ok := r.Counts[topic]; ok {
		return n
	}
	return 1
}

func (r *Run) Position() (string, int32, int64, bool) {
	if r.in == nil {
		return "", 0, 0, false
	}
	return r.topic, 0, r.in.Offset, true
}

func (r *Run) Schedule(_ *graph.Node, _ bool, _ time.Duration, f func(time.Time) error) graph.Timer {
	i := len(r.Timers)
	r.Timers = append(r.Timers, f)
	return timer{func() { r.Timers[i] = func(time.Time) error { return nil } }}
}

func (r *Run) ScheduleFrom(n *graph.Node, wall bool, _ int64, d time.Duration, f func(time.Time) error) graph.Timer {
	return r.Schedule(n, wall, d, f)
}

type timer struct{ stop func() }

func (t timer) Stop() { t.stop() }
