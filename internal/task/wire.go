package task

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A taskStore is a store of the subtopology and where its rows are.
type taskStore struct {
	decl   *decl.Store
	db     store.DB
	guard  *guard
	prefix []byte
	format layout.Format
}

// A hook is a function to be called at every commit.
type hook struct {
	node *graph.Node
	f    func()
}

// New makes the functions of a subtopology and connects them to the inputs. The task does nothing until each input was
// told its position by Resume.
func New(c Config) (*Task, error) {
	t := &Task{
		c:          c,
		log:        c.Logger,
		nodes:      map[int32]*graph.Node{},
		policies:   map[int32]topology.ErrorPolicy{},
		byTP:       map[TP]*input{},
		progress:   map[string]int64{},
		streamTime: -1,
		last:       topology.Position{Offset: -1},
		deleted:    newDeletions(),
	}
	t.committed.streamTime = -1
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if c.Sub == nil || c.Send == nil || c.Now == nil {
		return nil, fmt.Errorf("task: %s: Config needs Sub, Send and Now", c.ID)
	}
	if err := t.resolvePolicies(); err != nil {
		return nil, err
	}
	if err := t.openStores(); err != nil {
		return nil, err
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	if err := t.wire(); err != nil {
		t.Close()
		return nil, err
	}
	// Operators downstream are wired first; commits and timers go the other way.
	slices.SortStableFunc(t.atCommit, func(a, b hook) int { return a.node.ID - b.node.ID })
	slices.SortStableFunc(t.timers, func(a, b *timer) int { return a.node.ID - b.node.ID })
	t.settleTimers()
	t.commit = false
	return t, nil
}

func (t *Task) resolvePolicies() error {
	t.guarded = t.c.Policy != nil
	for _, n := range t.c.Sub.Nodes {
		t.nodes[int32(n.ID)] = n
		all := []any{n.Policy}
		if n.Source != nil {
			all = append(all, n.Source.Policy)
		}
		for _, p := range all {
			if p == nil {
				continue
			}
			policy, ok := p.(topology.ErrorPolicy)
			if !ok {
				return fmt.Errorf("task: %s: node %s (%s) has an error policy of type %T: want topology.ErrorPolicy", t.c.ID, n.Name, n.At, p)
			}
			if policy != nil && t.policies[int32(n.ID)] == nil {
				t.policies[int32(n.ID)] = policy
				t.guarded = true
			}
		}
	}
	return nil
}

// policy returns the error policy of a node: its own, of a source also its topic's, else Config's; nil fails.
func (t *Task) policy(n *graph.Node) topology.ErrorPolicy {
	if p := t.policies[int32(n.ID)]; p != nil {
		return p
	}
	return t.c.Policy
}

func (t *Task) openStores() error {
	for _, s := range t.c.Sub.Stores {
		var db store.DB
		if t.c.DB != nil {
			db = t.c.DB(s)
		}
		if db == nil {
			return fmt.Errorf("task: %s: no database for store %q (%s)", t.c.ID, s.Name, s.At)
		}
		t.stores = append(t.stores, taskStore{
			decl: s, db: db, guard: &guard{DB: db, t: t, headed: s.Headers}, prefix: db.Prefix(s.Name), format: layout.Of(s),
		})
		if !slices.Contains(t.dbs, db) {
			t.dbs = append(t.dbs, db)
		}
	}
	return nil
}

// wire makes the functions of all nodes, each once, children first, and of the inputs.
func (t *Task) wire() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = t.wiringError(p)
		}
	}()
	functions := make(map[*graph.Node]any, len(t.c.Sub.Nodes))
	sources := map[*graph.Node]func(*record.Meta, *record.In){}
	for _, n := range slices.Backward(t.c.Sub.Nodes) { // in topological order: backwards, children come first
		t.wiring = n
		t.meta.Node = int32(n.ID)
		down, err := downstream(n, functions)
		if err != nil {
			return err
		}
		switch {
		case n.Source != nil:
			sources[n] = t.source(n, n.Source.Wire(env{t}, down))
		case n.Wire != nil:
			functions[n] = t.step(n, n.Wire(env{t}, down))
		default:
			return fmt.Errorf("task: %s: node %s (%s) has neither Wire nor Source", t.c.ID, n.Name, n.At)
		}
	}
	peeks, err := t.wireAhead()
	if err != nil {
		return err
	}
	t.wiring = nil
	return t.connect(sources, peeks)
}

// downstream makes one function of those of a node's children.
func downstream(n *graph.Node, functions map[*graph.Node]any) (any, error) {
	downs := make([]any, 0, len(n.Children))
	for _, child := range n.Children {
		f, ok := functions[child]
		if !ok {
			return nil, fmt.Errorf("task: node %s (%s) sends to %s (%s), which is not behind it in its subtopology", n.Name, n.At, child.Name, child.At)
		}
		downs = append(downs, f)
	}
	switch {
	case n.Fan != nil:
		return n.Fan(downs), nil
	case len(downs) == 0:
		return nil, nil
	case len(downs) == 1:
		return downs[0], nil
	}
	return nil, fmt.Errorf("task: node %s (%s) has %d children and no way to fan out", n.Name, n.At, len(downs))
}

func (t *Task) wiringError(p any) error {
	cause := thrown(p)
	if t.wiring == nil {
		return fmt.Errorf("task: %s: setting up: %w", t.c.ID, cause)
	}
	return fmt.Errorf("task: %s: setting up %s (%s): %w", t.c.ID, t.wiring.Name, t.wiring.At, cause)
}

// thrown turns what an operator panicked with while it was set up into an error. An error thrown on purpose says what is
// wrong by itself; anything else needs the stack.
func thrown(p any) error {
	switch v := p.(type) {
	case record.Failure:
		return v.Err
	case runtime.Error:
		return topology.NewPanicError(v)
	case error:
		return v
	}
	return topology.NewPanicError(p)
}

// connect makes the inputs and finds the source of each.
func (t *Task) connect(sources, peeks map[*graph.Node]func(*record.Meta, *record.In)) error {
	for i, tp := range t.c.Inputs {
		if t.byTP[tp] != nil {
			return fmt.Errorf("task: %s: input %s is given twice", t.c.ID, tp)
		}
		n, err := t.sourceOf(tp.Topic)
		if err != nil {
			return err
		}
		in := &input{tp: tp, index: i, node: n, run: sources[n], peek: peeks[n], epoch: -1, time: -1}
		in.committed.time, in.committed.epoch = -1, -1
		in.warms = t.warms(n)
		t.inputs = append(t.inputs, in)
		t.byTP[tp] = in
	}
	t.empty, t.lost = len(t.inputs), len(t.inputs)
	t.heads = make([]*input, 0, len(t.inputs))
	t.fresh = make([]*input, 0, len(t.inputs))
	return nil
}

// sourceOf finds the source that reads a topic. A name goes before a pattern that happens to match it too.
func (t *Task) sourceOf(topic string) (*graph.Node, error) {
	var named, matching []*graph.Node
	for _, n := range t.c.Sub.Sources {
		name, pattern, err := t.reads(n, topic)
		if err != nil {
			return nil, err
		}
		if name {
			named = append(named, n)
		}
		if pattern {
			matching = append(matching, n)
		}
	}
	found := named
	if len(found) == 0 {
		found = matching
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("task: %s: no source reads topic %q", t.c.ID, topic)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("task: %s: topic %q is read by %s (%s) and by %s (%s): read it once and use the handle twice",
		t.c.ID, topic, found[0].Name, found[0].At, found[1].Name, found[1].At)
}

// reads reports whether a source reads a topic by its name or by a pattern.
func (t *Task) reads(n *graph.Node, topic string) (name, pattern bool, err error) {
	for _, s := range n.Topics {
		re, err := s.Matches()
		switch {
		case err != nil:
			return false, false, fmt.Errorf("task: %s: pattern of source %s (%s): %w", t.c.ID, n.Name, n.At, err)
		case re != nil:
			pattern = pattern || re.MatchString(topic)
		default:
			name = name || s.Full(t.c.ApplicationID) == topic
		}
	}
	return name, pattern, nil
}
