package proc

import (
	"fmt"
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

// Node returns the processor.
func (t *Task) Node() *graph.Node { return t.node }

// NeedStore fails unless the processor was connected to a store.
func (t *Task) NeedStore(name string, s *decl.Store) {
	if s == nil || !slices.Contains(t.node.Stores, s) {
		record.Fail(int32(t.node.ID), fmt.Errorf("topology: processor %q (%s) was not given store %q: add it to the stores of the verb", t.node.Name, t.node.At, name))
	}
}

// NeedGlobal fails unless a store is that of a global table.
func (t *Task) NeedGlobal(name string, s *decl.Store) {
	if s == nil || !s.Global {
		record.Fail(int32(t.node.ID), fmt.Errorf("topology: processor %q (%s): store %q is not that of a global table: make one with ktable.GlobalFrom, or use KeyValue", t.node.Name, t.node.At, name))
	}
}

// Every schedules f. Within f no record is in hand, and what is sent has the timer's time.
func (t *Task) Every(wall bool, d time.Duration, f func(now time.Time) error) graph.Timer {
	return t.env.Schedule(t.node, wall, d, t.timed(f))
}

// EveryFrom is Every on the grid that begins at start.
func (t *Task) EveryFrom(wall bool, start time.Time, d time.Duration, f func(now time.Time) error) graph.Timer {
	return t.env.ScheduleFrom(t.node, wall, start.UnixMilli(), d, t.timed(f))
}

func (t *Task) timed(f func(now time.Time) error) func(now time.Time) error {
	node := int32(t.node.ID)
	return func(now time.Time) error {
		t.hand.holds = aTime
		*t.env.Meta() = record.Meta{Time: now.UnixMilli(), Node: node}
		return f(now)
	}
}
