package topology

import (
	"log/slog"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/proc"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/store"
)

// Task is what a processor knows about the task it runs in: stores, timers, clocks. It belongs to the processor it was
// given to and is used from its setup, handler and timers only.
type Task proc.Task

func (t *Task) env() graph.Env { return (*proc.Task)(t).Env() }

// KeyValue returns this task's part of a store, which must be among those the processor was connected to. What is put has
// the time of the record in hand; in a timer, the timer's. The store ends the handler if it fails: no error comes back.
func (t *Task) KeyValue[K, V any](s store.KeyValueSpec[K, V]) store.KeyValue[K, V] {
	p := (*proc.Task)(t)
	p.NeedStore(s.Name(), s.Decl())
	part := rows.Open[K, V](p.Env(), p.Node(), s.Decl())
	if s.Decl().TTL > 0 {
		p.Env().AtCommit(p.Node(), part.Expire)
		p.Env().AtIdle(p.Node(), part.Expire)
	}
	return part
}

// Versioned returns this task's part of a versioned store, which must be among those the processor was connected to. The
// store ends the handler if it fails.
func (t *Task) Versioned[K, V any](s store.VersionedSpec[K, V]) store.Versioned[K, V] {
	p := (*proc.Task)(t)
	p.NeedStore(s.Name(), s.Decl())
	return rows.OpenVersioned[K, V](p.Env(), p.Node(), s.Decl())
}

// Window returns this task's part of a window store, which must be among those the processor was connected to. What is put
// has the time of the record in hand; in a timer, the timer's. The store ends the handler if it fails.
func (t *Task) Window[K, V any](s store.WindowSpec[K, V]) store.Window[K, V] {
	p := (*proc.Task)(t)
	p.NeedStore(s.Name(), s.Decl())
	return rows.WindowStore[K, V](p.Env(), p.Node(), s.Decl())
}

// Session returns this task's part of a session store, which must be among those the processor was connected to. What is
// put has the time of the record in hand; in a timer, the timer's. The store ends the handler if it fails.
func (t *Task) Session[K, V any](s store.SessionSpec[K, V]) store.Session[K, V] {
	p := (*proc.Task)(t)
	p.NeedStore(s.Name(), s.Decl())
	return rows.OpenSession[K, V](p.Env(), p.Node(), s.Decl()).Store()
}

// Global reads a global table's store, whatever stores the processor was connected to. It shows the rows as they are at
// each call: the table goes on following its topic while a record is processed.
func (t *Task) Global[K, V any](s store.KeyValueSpec[K, V]) store.KeyValueReader[K, V] {
	p := (*proc.Task)(t)
	p.NeedGlobal(s.Name(), s.Decl())
	return rows.Open[K, V](p.Env(), p.Node(), s.Decl())
}

// EveryStream calls f each d of stream time, the highest event time the task has taken up: first as soon as that is
// known, then on multiples of d from there. It runs between records, and not at all while no records come; a gap of
// several d calls it once. An error of f fails the task.
func (t *Task) EveryStream(d time.Duration, f func(now time.Time) error) *Timer {
	return &Timer{(*proc.Task)(t).Every(false, d, f)}
}

// EveryWall calls f each d of wall-clock time, first after d, between records. A late call is not made up for. An error
// of f fails the task.
func (t *Task) EveryWall(d time.Duration, f func(now time.Time) error) *Timer {
	return &Timer{(*proc.Task)(t).Every(true, d, f)}
}

// EveryStreamFrom is EveryStream on the grid of start, start + d, start + 2d … stream time: at midnight, say, or on the hour.
// The first call comes once stream time reaches start, at once if it is past that. Source: KIP-1146.
func (t *Task) EveryStreamFrom(start time.Time, d time.Duration, f func(now time.Time) error) *Timer {
	return &Timer{(*proc.Task)(t).EveryFrom(false, start, d, f)}
}

// EveryWallFrom is EveryWall on the grid of start, start + d, start + 2d … wall-clock time. The first call comes at start, or
// at the next moment of the grid if that is past. Source: KIP-1146.
func (t *Task) EveryWallFrom(start time.Time, d time.Duration, f func(now time.Time) error) *Timer {
	return &Timer{(*proc.Task)(t).EveryFrom(true, start, d, f)}
}

// OnClose calls f when the task leaves this process. What it sends or stores is not committed.
func (t *Task) OnClose(f func()) { t.env().OnClose(f) }

// StreamTime returns the highest event time the task has taken up; the zero Time while there is none.
func (t *Task) StreamTime() time.Time {
	ms := t.env().StreamTime()
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Now returns the wall clock; in a test driver, the clock moved by hand.
func (t *Task) Now() time.Time { return time.UnixMilli(t.env().Now()) }

// Source says where the record in hand was read; ok is false in a timer. Of a change that a table forwards at a commit it is
// the last record that the task took up.
func (t *Task) Source() (p Position, ok bool) {
	at, ok := graph.Where(t.env())
	return Position(at), ok
}

// RequestCommit asks for a commit once the record in hand is processed, before the interval is over.
func (t *Task) RequestCommit() { t.env().RequestCommit() }

// ID returns the id of the task.
func (t *Task) ID() TaskID {
	sub, partition := t.env().TaskID()
	return TaskID{sub, partition}
}

// Logger returns the app's logger, with the task's id.
func (t *Task) Logger() *slog.Logger { return t.env().Logger() }

// Timer is a call that recurs until it is stopped or the task ends.
type Timer struct{ t graph.Timer }

// Stop ends the timer. It may be called more than once, also by the timer's own function.
func (t *Timer) Stop() { t.t.Stop() }
