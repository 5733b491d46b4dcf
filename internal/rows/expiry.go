package rows

import (
	"math"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
)

// ExpiredWindow is the reason under which a write that came too late for a window or session store is counted.
const ExpiredWindow = "expired-window"

// An expiry says which rows of a store are too old, by the store's own stream time: the latest start of a window, or end
// of a session, ever written. The rules are those of Kafka Streams:
//
//	         refused            hidden, may be written            seen
//	───────────────────────┬────────────────────────────┬──────────────────────►
//	                     floor         observed - retention          observed
//
// Rows are kept by segments, and written as long as their segment is; rows in memory are refused as soon as they are
// hidden. What is refused is logged all the same, as Kafka Streams does: its bytes are in the topic, and no reader sees them.
// Where rows linger, as they do in Kafka Streams' caches, none is hidden before it is refused.
type expiry struct {
	clock     *graph.Clock
	retention int64 // milliseconds
	segment   int64 // milliseconds; 0: rows are refused one by one
	edge      int64 // how much longer rows are seen; 1 where they are sent when their windows close, as in Kafka Streams
	lingers   bool
	step      int64 // rows are given up when the floor has moved so far, milliseconds
	kept      int64 // rows from here on are not given up, though they may have expired
	given     int64 // rows before it were given up; given <= min(floor, kept)
	rest      int64 // no row that was there at the first use is later; unknown before
	found     int64 // the stream time that those rows say, where the clock did not know of it
}

const unknown = math.MinInt64

// Observed returns the store's own stream time, milliseconds; -1 while nothing was ever written.
func (e *expiry) Observed() int64 { return e.clock.Now() }

// KeepFrom keeps rows of windows that start, or of sessions that end, at the given time or later, milliseconds, although
// they may have expired: somebody still has to send them. They are hidden, but for Kept.
func (e *expiry) KeepFrom(ms int64) { e.kept = ms }

// arrive tells of a write at a time, and reports whether it is accepted.
func (e *expiry) arrive(at int64) bool {
	e.clock.Raise(at)
	return at >= e.floor()
}

// newest returns a time that no row is later than. Other handles on the store share its clock.
func (e *expiry) newest() int64 { return max(e.rest, e.clock.Now()) }

// StoreClock is the name of the clock that says how late the rows of a store of windows or sessions are. The name of the store
// itself is that of how far results have been sent, as in the metadata of Kafka Streams.
func StoreClock(d *decl.Store) string { return d.Name + "/t" }

// open begins with what is known of a store.
func (e *expiry) open(env graph.Env, d *decl.Store) {
	*e = expiry{clock: env.Clock(StoreClock(d)), retention: d.Retention.Milliseconds(), segment: layout.Segment(d), kept: math.MaxInt64, rest: unknown, found: -1}
	e.lingers = d.Lingers
	if d.InMemory && !e.lingers {
		e.segment = 0
	}
	if d.OnClose && d.Kind == decl.Window && e.segment > 0 {
		e.edge = 1
	}
	e.step = max(e.segment, e.retention/4, 1)
	env.OnRollback(func() {
		e.given = 0
		e.clock.Raise(e.found)
	})
}

// seen returns the first time whose rows are not hidden; it may be negative.
func (e *expiry) seen() int64 {
	if e.lingers {
		if e.found >= 0 { // the rows that were there are another's, and were never in a cache of ours
			return max(e.floor(), e.found-e.retention+1)
		}
		return e.floor()
	}
	return e.clock.Now() - e.retention + 1 - e.edge
}

// expired reports whether rows of a time have expired and are found only because they linger.
func (e *expiry) expired(at int64) bool { return e.lingers && at <= e.clock.Now()-e.retention }

// floor returns the first time whose rows are not refused; it may be negative.
func (e *expiry) floor() int64 {
	if e.segment == 0 {
		return e.seen()
	}
	return (e.clock.Now() - e.retention) / e.segment * e.segment
}

// due returns the time before which rows are to be given up now, 0 for none.
func (e *expiry) due() int64 {
	to := min(e.floor(), e.kept)
	if to <= 0 || e.given > 0 && to-e.given < e.step {
		return 0
	}
	e.given = to
	return to
}
