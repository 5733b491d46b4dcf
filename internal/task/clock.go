package task

import (
	"maps"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// A clock is the event time a store or an operator has seen, and what it was at the last commit.
type clock struct {
	graph.Clock
	name      string
	committed int64
}

// Clock implements graph.Env.
func (e env) Clock(name string) *graph.Clock {
	t := e.t
	c := t.clockOf(name)
	if c == nil { // appended, since savepoints know clocks by their place
		c = &clock{name: name, Clock: *graph.NewClock(-1), committed: -1}
		if at, ok := t.progress[name]; ok {
			c.committed = c.Raise(at)
		}
		t.clocks = append(t.clocks, c)
	}
	return &c.Clock
}

func (t *Task) clockOf(name string) *clock {
	for _, c := range t.clocks {
		if c.name == name {
			return c
		}
	}
	return nil
}

// times returns what clocks show, for the metadata of offsets, with room for a seal if some are our own.
func (t *Task) times() map[string]int64 {
	times := maps.Clone(t.progress)
	for _, c := range t.clocks {
		if c.Now() >= 0 {
			times[c.name] = c.Now()
		}
	}
	for name := range times {
		if own(name) {
			times[sealName] = 0
			break
		}
	}
	return times
}

// resumeClocks takes up the times that the committed offsets of all inputs came with. Each input tells those of its own last
// commit: the highest is right. If one of them was committed by somebody else, what no other application knows is forgotten.
func (t *Task) resumeClocks() {
	foreign := false
	for _, in := range t.inputs {
		foreign = foreign || in.resumed.foreign
	}
	forgot := false
	for _, in := range t.inputs {
		for name, at := range in.resumed.progress {
			if own(name) && (foreign || name == sealName) {
				forgot = forgot || name != sealName
				continue
			}
			if c := t.clockOf(name); c != nil {
				c.committed = c.Raise(at)
			} else if have, ok := t.progress[name]; !ok || have < at {
				t.progress[name] = at
			}
		}
		in.resumed.progress, in.resumed.foreign = nil, false
	}
	if forgot {
		t.log.Info("another application, as Kafka Streams, has committed offsets since this one did: event times of stores are found out anew from their rows")
	}
}

func (t *Task) settleClocks() {
	t.deleted.clear()
	for _, c := range t.clocks {
		c.committed = c.Now()
	}
	clear(t.logs)
	t.logs = t.logs[:0]
}

func (t *Task) resetClocks() {
	t.deleted.clear()
	for _, c := range t.clocks {
		c.Set(c.committed)
	}
	clear(t.logs)
	t.logs = t.logs[:0]
}

// OnRollback implements graph.Env.
func (e env) OnRollback(f func()) { e.t.onRollback = append(e.t.onRollback, f) }

func (t *Task) rolledBack() {
	for _, f := range t.onRollback {
		f()
	}
}

// A logged is a changelog record that no row says.
type logged struct {
	store *decl.Store
	entry changelog.Entry
}

// Log implements graph.Env.
func (e env) Log(s *decl.Store, key, value []byte, headers []record.Header, time int64) {
	if s.Logged() {
		e.t.logs = append(e.t.logs, logged{s, changelog.Entry{Key: key, Value: value, Headers: headers, Time: time}})
	}
}
