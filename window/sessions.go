package window

import "time"

// SessionWindows group records between which there is no gap of inactivity. A record joins the sessions it comes near to,
// and so may merge two. Both ends of a session are part of it: they are the times of its first and last record.
//
//	──a──b────c──────────────d──e──►
//	  ├─────────┤  > gap    ├────┤
type SessionWindows struct{ gap, grace time.Duration }

// Session makes sessions that end when nothing came for longer than gap. Durations count in milliseconds.
func Session(gap time.Duration) SessionWindows { return SessionWindows{gap: gap} }

// Grace sets how late a record may come, once a session can grow no more, and still be taken; zero without it.
func (w SessionWindows) Grace(d time.Duration) SessionWindows { w.grace = d; return w }

// Bounds returns the gap and the grace.
func (w SessionWindows) Bounds() (gap, grace time.Duration) { return w.gap, w.grace }

// Near returns which sessions a record at a time joins: those that end at earliestEnd or later and start at latestStart or
// earlier, milliseconds. Both are at most the gap away.
func (w SessionWindows) Near(ms int64) (earliestEnd, latestStart int64) {
	gap := w.gap.Milliseconds()
	return max(0, ms-gap), after(ms, gap)
}

// Closed reports whether a session that ends at the given time takes no more records at a stream time, milliseconds.
func (w SessionWindows) Closed(end, now int64) bool {
	return end < now-w.gap.Milliseconds()-w.grace.Milliseconds()
}

// Retention returns how long stores keep a session, from its end, unless they are told: gap and grace.
func (w SessionWindows) Retention() time.Duration { return add(w.gap, w.grace) }

// Err returns what is wrong with the rule, nil if nothing is. Verbs report it.
func (w SessionWindows) Err() error {
	var c check
	c.whole(w.gap)
	c.report(w.gap < time.Millisecond, "sessions with a gap of %v: want at least a millisecond", w.gap)
	c.grace(w.grace)
	return c.err()
}
