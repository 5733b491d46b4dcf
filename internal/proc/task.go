package proc

import (
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Task is a processor's view of its task. topology.Task has it as underlying type.
type Task struct {
	env  graph.Env
	node *graph.Node
	hand *Hand
}

// NewTask returns the view that the processor at node has of env.
func NewTask(env graph.Env, node *graph.Node, hand *Hand) *Task { return &Task{env, node, hand} }

// Env returns the task itself.
func (t *Task) Env() graph.Env { return t.env }

// Node returns the id of the processor.
func (t *Task) Node() int32 { return int32(t.node.ID) }

// Name returns the name of the processor.
func (t *Task) Name() string { return t.node.Name }

// Connected reports whether the processor was connected to a store.
func (t *Task) Connected(s *decl.Store) bool { return slices.Contains(t.node.Stores, s) }

// Every schedules f. Within f no record is in hand, and what is sent has the timer's time.
func (t *Task) Every(wall bool, d time.Duration, f func(now time.Time) error) graph.Timer {
	node := t.Node()
	return t.env.Schedule(t.node, wall, d, func(now time.Time) error {
		t.hand.holds = aTime
		*t.env.Meta() = record.Meta{Time: now.UnixMilli(), Node: node}
		return f(now)
	})
}
