package kstream

import (
	"math"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
)

// waiting are the records of a left or outer join that have no partner yet, in one task. They are sent when their window has
// closed: looked for when a record moves the time of the join on, and not more often than the interval. Which of them are
// found when is as in Kafka Streams, and results depend on it: earliest is not always the earliest.
type waiting[K, L, R, Out any] struct {
	env   graph.Env
	next  record.Fn[K, Out]
	join  func(l L, lok bool, r R, rok bool) Out
	b     joinBounds
	outer bool // those of the right wait too
	rows  *rows.Unmatched[K, L, R]
	time  *graph.Clock // the latest time of both sides
	sides func() int64 // what their rows say of it

	// No look is worth while before the window of a row of this time has closed; nothing: there may be any; -1: not known. It
	// travels with the offsets, because the rows alone do not say when Kafka Streams would look.
	earliest *graph.Clock
	from     int64 // all rows before it are sent or matched
	due      int64 // no look before, wall-clock milliseconds
}

const nothing = math.MaxInt64

// earliestClock is the name of the clock of a join that says when to look at what waits in a store.
func earliestClock(shared *decl.Store) string { return shared.Name + "/e" }

func openWaiting[K, L, R, Out any](env graph.Env, n *graph.Node, next record.Fn[K, Out], j streamJoin[K, L, R, Out], b joinBounds, shared *decl.Store, right serde.Serde[R]) *waiting[K, L, R, Out] {
	w := &waiting[K, L, R, Out]{
		env: env, next: next, join: j.join, b: b, outer: j.rightOuter,
		rows: rows.OpenUnmatched[K, L, R](env, n, shared, right),
		time: env.Clock(rows.StoreClock(shared)), earliest: env.Clock(earliestClock(shared)),
	}
	env.OnRollback(func() { w.from, w.due = 0, 0 })
	env.AtIdle(n, func() {
		w.time.Raise(env.StreamTime())
		hand := *env.Meta()
		w.send(env.Meta(), &hand, min(b.before, b.after))
	})
	return w
}

// arrive tells of a record of a time, and returns the latest of both sides. State taken over from Kafka Streams comes without:
// their rows say it then.
func (w *waiting[K, L, R, Out]) arrive(at int64) int64 {
	if w.time.Now() < 0 {
		w.time.Raise(w.sides())
	}
	return w.time.Raise(at)
}

// look finds out how early the rows begin, where nothing says so: state taken over from Kafka Streams.
func (w *waiting[K, L, R, Out]) look() {
	w.earliest.Set(nothing)
	if at, ok := w.rows.Earliest(); ok {
		w.earliest.Set(at)
	}
}

// came tells of a row of a time.
func (w *waiting[K, L, R, Out]) came(at int64) {
	if at < w.earliest.Now() {
		w.earliest.Set(at)
	}
}

// send sends the records whose windows have closed, on behalf of the record in hand: with its headers. after is the reach of
// the side that it is of.
func (w *waiting[K, L, R, Out]) send(m, hand *record.Meta, after int64) {
	if w.earliest.Now() < 0 {
		w.look()
	}
	now := w.time.Now()
	// With earliest nothing the sum overflows, and there is a look unless both are 0: also one that finds nothing counts
	// for the interval.
	if w.earliest.Now()+after+w.b.grace >= now {
		return
	}
	wall := w.env.Now()
	if wall < w.due {
		return
	}
	w.due = wall + w.b.every
	w.earliest.Set(nothing)
	var leftOpen, rightOpen bool
	w.rows.Walk(w.from, func(row rows.Waiting[K, L, R]) bool {
		w.earliest.Set(row.Time)
		if leftOpen && rightOpen {
			return false
		}
		reach := w.b.before
		if row.Left {
			reach = w.b.after
		}
		if row.Time+reach+w.b.grace < now {
			w.close(m, hand, row)
			return true
		}
		if row.Left {
			leftOpen = true
		} else {
			rightOpen = true
		}
		// Rows of one side are in the order in which they close. Of a left join that is all there is, and of what follows only
		// the end counts.
		if !w.outer {
			last, _ := w.rows.Latest()
			w.earliest.Set(last)
			return false
		}
		return !(leftOpen && rightOpen && row.Len() > 1)
	})
	w.from = max(now-max(w.b.before, w.b.after)-w.b.grace, 0)
	*m = *hand
}

// close sends the records of a row and removes it.
func (w *waiting[K, L, R, Out]) close(m, hand *record.Meta, row rows.Waiting[K, L, R]) {
	var noLeft L
	var noRight R
	row.Each(func(k K, l L) {
		*m = *hand
		m.Time, m.NoKey, m.NoValue = row.Time, false, false
		w.next(m, k, w.join(l, true, noRight, false))
	}, func(k K, r R) {
		*m = *hand
		m.Time, m.NoKey, m.NoValue = row.Time, false, false
		w.next(m, k, w.join(noLeft, false, r, true))
	})
	*m = *hand
	row.Remove()
}
