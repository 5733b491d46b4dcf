package ktable

import (
	"fmt"
	"math"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/window"
)

// An EmitOption changes how EmitOnClose sends results.
type EmitOption struct{ apply func(*closing) }

// EmitEvery looks for closed windows at most once per d of wall-clock time, and so sends results later and in larger lots;
// it is looked when a record comes. Zero, as without it, looks with each record: to look costs next to nothing while no
// window has closed. Kafka Streams waits for a second.
func EmitEvery(d time.Duration) EmitOption {
	return EmitOption{func(c *closing) {
		c.every = d
		if d < 0 {
			c.err = fmt.Errorf("EmitEvery(%v) is negative: want 0 or more", d)
		}
	}}
}

// EmitRetained leaves out windows that have expired before they were sent, as Kafka Streams does: those that started the
// store's retention, or longer, before the latest window when event time jumps ahead. Without it each closed window is sent
// once, and kept until then. It is for comparing a program with one of Kafka Streams.
func EmitRetained() EmitOption { return EmitOption{func(c *closing) { c.expired = true }} }

// closing is what the program says of EmitOnClose.
type closing struct {
	every   time.Duration
	expired bool // what has expired is not sent
	err     error
}

func newClosing(opts []EmitOption) *closing {
	c := &closing{}
	for _, o := range opts {
		if o.apply != nil {
			o.apply(c)
		}
	}
	return c
}

// sentClock is the name of the clock that says up to which close time results have been sent: the name under which Kafka
// Streams keeps it.
func sentClock(d *decl.Store) string { return d.Name }

// A closer sends the rows of windows once they are closed, in one task: when a record has moved event time on, in the order
// of the windows' starts (of sessions: ends), then of keys.
//
//	          sent          closed
//	───────────┼──────────────┼────────────► end of windows
//	 were sent │ are sent now │ are open
//
// Times are event times, milliseconds.
type closer[K, A any] struct {
	id       int32
	env      graph.Env
	next     record.ChangeFn[window.Key[K], A]
	sent     *graph.Clock // windows that were closed at this time have been sent; -1: none
	cut      cut
	out      *output[K, A]
	memory   bool  // the store is one in memory
	included int64 // 1 where the end of a window is part of it: it closes a millisecond later

	every int64 // between two looks, of wall-clock time
	due   int64 // the next look, by the wall clock

	// No window that was not sent ends before it. Unknown, and so 0, after a rollback.
	least int64

	// Of the look under way.
	m       *record.Meta
	headers []record.Header
	until   int64 // windows that end before it are sent
	window  func(k K, start int64, a A, time int64) bool
	session func(k K, start, end int64, a A, time int64) bool
}

func newCloser[K, A any](env graph.Env, n *graph.Node, d *decl.Store, c cut, out *output[K, A], next record.ChangeFn[window.Key[K], A]) *closer[K, A] {
	s := &closer[K, A]{
		id: int32(n.ID), env: env, next: next, sent: env.Clock(sentClock(d)), cut: c, out: out, memory: d.InMemory, every: c.close.every.Milliseconds(),
	}
	if c.kind != timed {
		s.included = 1
	}
	s.window = func(k K, start int64, a A, time int64) bool {
		return s.send(window.Key[K]{Key: k, Span: out.windows.Span(start)}, start+c.size, a, time)
	}
	s.session = func(k K, start, end int64, a A, _ int64) bool { return s.send(sessionKey(k, start, end), end, a, end) }
	s.keep()
	env.OnRollback(func() { s.least = 0; s.keep() })
	return s
}

// wrote tells that the row of a window was written.
func (s *closer[K, A]) wrote(end int64) { s.least = min(s.least, end) }

// unsent returns the first end of windows that were not sent.
func (s *closer[K, A]) unsent() int64 {
	if s.sent.Now() < 0 {
		return 0
	}
	return s.sent.Now() + 1 - s.included
}

// keep has the store keep what was not sent.
func (s *closer[K, A]) keep() {
	switch {
	case s.cut.close.expired && (s.memory || s.cut.kind != sessions):
	case s.cut.kind == sessions:
		s.out.sessions.KeepFrom(s.unsent())
	default:
		s.out.windows.KeepFrom(s.unsent() - s.cut.size)
	}
}

// close sends the windows that are closed at a time, on behalf of the record in hand.
func (s *closer[K, A]) close(m, of *record.Meta, closed int64) {
	if s.every > 0 {
		now := s.env.Now()
		if now < s.due {
			return
		}
		s.due = now + s.every
	}
	if closed <= s.sent.Now() || !s.reaches(closed) {
		return
	}
	if s.until = closed + 1 - s.included; s.until <= s.least { // nothing that waits is closed: only how far it is
		s.sent.Raise(closed)
		s.keep()
		return
	}
	from := s.unsent()
	s.m, s.headers, s.least = m, of.Headers, math.MaxInt64
	switch c := s.cut; {
	case c.kind == sessions && c.close.expired && s.memory: // on disk, Kafka Streams finds those that have expired too
		s.out.sessions.FetchAll(from, math.MaxInt64, s.session)
	case c.kind == sessions:
		s.out.sessions.Kept(from, math.MaxInt64, s.session)
	case c.close.expired:
		s.out.windows.FetchAll(from-c.size, math.MaxInt64, s.window)
	default:
		s.out.windows.Kept(from-c.size, math.MaxInt64, s.window)
	}
	s.sent.Raise(closed)
	s.keep()
}

// reaches reports whether some window may have closed since the last look. How far results have been sent stands in the metadata of
// offsets, where Kafka Streams reads it: it moves when Kafka Streams would have looked into its store.
func (s *closer[K, A]) reaches(closed int64) bool {
	switch c := s.cut; c.kind {
	case sessions:
		return closed > 0
	case sliding:
		return closed > c.size
	default:
		end := closed - c.size // the last start of a window that is closed
		if end < 0 || s.sent.Now() < 0 {
			return end >= 0
		}
		before := max(0, s.sent.Now()-c.size)
		first := func(at int64) int64 { return max(0, at-c.size+c.advance) / c.advance }
		return end/c.advance != before/c.advance || first(end) != first(before)
	}
}

// send sends a row, unless its window is open: then it is the next to close.
func (s *closer[K, A]) send(k window.Key[K], end int64, a A, time int64) bool {
	if end >= s.until {
		s.least = end
		return false
	}
	*s.m = record.Meta{Time: time, Headers: s.headers, Node: s.id}
	s.next(s.m, k, record.Change[A]{New: a, HasNew: true})
	return true
}
