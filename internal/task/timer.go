package task

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// A timer calls a function each interval of stream time or of wall-clock time.
//
//	stream     0 ──── every ──── every ────►   the first call comes as soon as the time is known
//	wall     made ─── every ──── every ────►   the first call comes after one interval
//	anchored start ── every ──── every ────►   the first call comes at the start; by stream time at once if that is past
//
// Calls that were missed are made up for by a single one; the grid stays where it was.
type timer struct {
	t       *Task
	node    *graph.Node
	wall    bool
	every   int64 // ms
	due     int64 // ms, of stream time or since the epoch
	f       func(now time.Time) error
	stopped bool

	committedDue int64
}

func (t *Task) schedule(n *graph.Node, wall bool, due int64, d time.Duration, f func(now time.Time) error) *timer {
	if d < time.Millisecond {
		record.Fail(int32(n.ID), fmt.Errorf("timer with an interval of %v: want a millisecond or more", d))
	}
	tm := &timer{t: t, node: n, wall: wall, due: due, every: d.Milliseconds(), f: f}
	t.timers = append(t.timers, tm)
	return tm
}

// Stop ends a timer. An abort, or a rollback of the record in hand, starts it again.
func (tm *timer) Stop() {
	if !tm.stopped {
		tm.stopped = true
		tm.t.stops = append(tm.t.stops, tm)
	}
}

// next returns the first moment of the grid after now, which is not before due.
func (tm *timer) next(now int64) int64 {
	return tm.due + ((now-tm.due)/tm.every+1)*tm.every
}

// Punctuate runs due timers, those of stream time first, and returns when the next wall-clock timer is due (zero: none).
// Call it between calls of Process. An error is fatal: the transaction must be aborted; until Abort it is returned again.
func (t *Task) Punctuate() (next time.Time, err error) {
	t.clock = time.Time{}
	if err := t.usable(); err != nil || t.lost > 0 {
		return time.Time{}, err
	}
	again, err := t.rest()
	if err != nil || len(t.timers) == 0 {
		return again, err
	}
	defer func() {
		if err == nil && !again.IsZero() && (next.IsZero() || again.Before(next)) {
			next = again
		}
	}()
	if t.streamTime >= 0 {
		if err := t.fireDue(false, t.streamTime); err != nil {
			return time.Time{}, err
		}
	}
	if t.nextWall() == nil {
		return time.Time{}, nil
	}
	if err := t.fireDue(true, t.now().UnixMilli()); err != nil {
		return time.Time{}, err
	}
	if tm := t.nextWall(); tm != nil {
		return time.UnixMilli(tm.due), nil
	}
	return time.Time{}, nil
}

func (t *Task) nextWall() *timer { return t.nextTimer(true, len(t.timers)) }

// nextTimer returns the earliest timer among the first n: of equal ones that of the earlier node.
func (t *Task) nextTimer(wall bool, n int) *timer {
	var first *timer
	for _, tm := range t.timers[:n] {
		if tm.wall != wall || tm.stopped {
			continue
		}
		if first == nil || tm.due < first.due || tm.due == first.due && tm.node.ID < first.node.ID {
			first = tm
		}
	}
	return first
}

// fireDue runs the timers that are due. Those made meanwhile wait for the next call: one that makes another each time it
// runs would never end.
func (t *Task) fireDue(wall bool, now int64) error {
	n := len(t.timers)
	for {
		tm := t.nextTimer(wall, n)
		if tm == nil || tm.due > now {
			return nil
		}
		if err := t.fired(t.fire(tm, now)); err != nil {
			return err
		}
	}
}

// fired decides about what a timer ended with, nil for nothing.
func (t *Task) fired(c *caught) error {
	if c == nil {
		return nil
	}
	node, e := t.recordError(c)
	if _, err := t.decide(node, e, false); err != nil {
		t.failed = err
		return err
	}
	t.rollback() // Skip is the only other decision about a timer
	t.stage = idle
	t.drop(node, Skipped)
	return nil
}

// fire runs a timer. It is due again one interval later whatever comes of it: a rollback takes back what it did, not
// that it ran.
func (t *Task) fire(tm *timer, now int64) (c *caught) {
	defer func() {
		if p := recover(); p != nil {
			c = catch(p)
		}
	}()
	tm.due = tm.next(now)
	t.stage = firing
	t.meta = record.Meta{Time: now, Node: int32(tm.node.ID)}
	if t.guarded {
		t.mark(nil)
	}
	if err := tm.f(time.UnixMilli(now)); err != nil {
		record.Fail(int32(tm.node.ID), err)
	}
	if t.broken != nil {
		return &caught{node: int32(tm.node.ID), hasNode: true}
	}
	if len(t.outs) > 0 {
		t.release()
	}
	t.stage = idle
	return nil
}

// settleTimers makes the timers as they are those an abort goes back to.
func (t *Task) settleTimers() {
	live := t.timers[:0]
	for _, tm := range t.timers {
		if !tm.stopped {
			tm.committedDue = tm.due
			live = append(live, tm)
		}
	}
	clear(t.timers[len(live):])
	t.timers = live
	clear(t.stops)
	t.stops = t.stops[:0]
	t.committed.timers = len(live)
}

// resetTimers goes back to the timers of the last commit.
func (t *Task) resetTimers() {
	clear(t.timers[t.committed.timers:])
	t.timers = t.timers[:t.committed.timers]
	for _, tm := range t.timers {
		tm.stopped, tm.due = false, tm.committedDue
	}
	clear(t.stops)
	t.stops = t.stops[:0]
}
