package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// env is the task as the operators see it.
type env struct{ t *Task }

var _ graph.Env = env{}

// Env returns the task as its operators see it, for a driver that looks at its state between records.
func (t *Task) Env() graph.Env { return env{t} }

func (e env) Context() context.Context { return e.t.ctx }
func (e env) TaskID() (int, int32)     { return e.t.c.ID.Subtopology, e.t.c.ID.Partition }
func (e env) ApplicationID() string    { return e.t.c.ApplicationID }
func (e env) Logger() *slog.Logger     { return e.t.log }
func (e env) Meta() *record.Meta       { return &e.t.meta }
func (e env) Arena() *record.Arena     { return &e.t.arena }
func (e env) StreamTime() int64        { return e.t.streamTime }
func (e env) Now() int64               { return e.t.now().UnixMilli() }
func (e env) RequestCommit()           { e.t.commit = true }
func (e env) OnClose(f func())         { e.t.onClose = append(e.t.onClose, f) }

func (e env) Drop(n *graph.Node, reason string) { e.t.drop(n, reason) }

func (e env) Partitions(topic string) int32 {
	if e.t.c.Partitions == nil {
		return 0
	}
	return e.t.c.Partitions(topic)
}

// DB returns the rows of a store of this subtopology, or of a global table.
func (e env) DB(s *decl.Store) store.DB {
	if s.Global {
		if e.t.c.DB != nil {
			if db := e.t.c.DB(s); db != nil {
				return db
			}
		}
		panic(fmt.Errorf("the topology has no global table %q (%s)", s.Name, s.At))
	}
	for i := range e.t.stores {
		if have := &e.t.stores[i]; have.decl == s || have.decl.Name == s.Name {
			return have.guard
		}
	}
	panic(fmt.Errorf("store %q (%s) is not connected to this step: list it in the stores of the verb", s.Name, s.At))
}

func (e env) AtCommit(n *graph.Node, f func()) {
	e.t.atCommit = append(e.t.atCommit, hook{n, f})
}

func (e env) Position() (topic string, partition int32, offset int64, ok bool) {
	t := e.t
	switch {
	case t.stage == emitting && t.last.Offset >= 0:
		return t.last.Topic, t.last.Partition, t.last.Offset, true
	case t.stage != running && t.stage != timing:
		return "", 0, 0, false
	}
	return t.cur.tp.Topic, t.cur.tp.Partition, t.cur.recs[t.cur.head].Offset, true
}

// An output is a record that waits for the record in hand to be through.
type output struct {
	out  record.Out
	node int32
}

// Send passes an output on at once, or, when the record in hand may still be rolled back, once it is through.
func (e env) Send(o *record.Out) {
	t := e.t
	switch t.stage {
	case running, firing:
		t.checkRefused()
		if t.guarded {
			t.outs = append(t.outs, output{*o, t.meta.Node})
			return
		}
	case emitting:
	case closing:
		return // the transaction it would go into is not this task's any more
	default:
		record.Fail(t.meta.Node, errIdle)
	}
	t.send(o, t.meta.Node)
}

// errIdle is what a set-up function gets that sends or writes.
var errIdle = errors.New("output, or write to a store, outside of handler and timers: an abort would take it back and not repeat it; send and write in the handler")

func (t *Task) send(o *record.Out, node int32) {
	t.sent = true
	t.sender = node
	t.c.Send(o)
}

func (t *Task) drop(n *graph.Node, reason string) {
	if t.c.OnDrop != nil {
		t.c.OnDrop(n.Name, reason)
	}
}

// A refusal is an output that a broker refused for good.
type refusal struct {
	at   topology.Position
	node int32
	err  error
}

// Origin says what the output being handed to Config.Send comes from: the record in hand and the node that sends. ok is
// false for outputs of timers and emissions. It is valid inside Send.
func (t *Task) Origin() (at topology.Position, node int32, ok bool) {
	topic, partition, offset, ok := env{t}.Position()
	return topology.Position{Topic: topic, Partition: partition, Offset: offset}, t.sender, ok && t.stage != emitting
}

// Refuse tells that an output with the given origin was refused by the broker for good (too large, invalid), after the
// transaction it was in has been aborted: when the record is processed again, the node's sending fails with err, and the
// error policy decides. It is forgotten once the record is committed.
func (t *Task) Refuse(at topology.Position, node int32, err error) {
	t.refused = append(t.refused, refusal{at, node, err})
}

func (t *Task) checkRefused() {
	if len(t.refused) == 0 {
		return
	}
	topic, partition, offset, ok := env{t}.Position()
	if !ok {
		return
	}
	at := topology.Position{Topic: topic, Partition: partition, Offset: offset}
	for i := range t.refused {
		if r := &t.refused[i]; r.at == at && r.node == t.meta.Node {
			record.Fail(r.node, r.err)
		}
	}
}

// Schedule calls f each d from between records.
func (e env) Schedule(n *graph.Node, wall bool, d time.Duration, f func(now time.Time) error) graph.Timer {
	due := int64(0)
	if wall {
		due = e.t.now().UnixMilli() + d.Milliseconds()
	}
	return e.t.schedule(n, wall, due, d, f)
}

// ScheduleFrom calls f each d on the grid of start, from between records.
func (e env) ScheduleFrom(n *graph.Node, wall bool, start int64, d time.Duration, f func(now time.Time) error) graph.Timer {
	tm := e.t.schedule(n, wall, start, d, f)
	if now := e.t.now().UnixMilli(); wall && start < now {
		tm.due = tm.next(now)
	}
	return tm
}
