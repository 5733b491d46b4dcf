package window

import "time"

// SlidingWindows group records at most a time difference apart: there is a window for each set of records that fit into
// one, and no other. Both ends of a window are part of it.
//
//	      a      b           c      records
//	├─────┤                         ends with a: a
//	       ├──────────┤             begins behind a: b
//	   ├─────────┤                  ends with b: a and b
//	              ├──────────┤      begins behind b: c; and so on
//
// Each record makes the window that ends with it, and the one that begins behind it if there is something in that.
type SlidingWindows struct{ diff, grace time.Duration }

// Sliding makes windows of records at most diff apart. Durations count in milliseconds.
func Sliding(diff time.Duration) SlidingWindows { return SlidingWindows{diff: diff} }

// Grace sets how late a record may come after the end of its window and still be taken; zero without it.
func (w SlidingWindows) Grace(d time.Duration) SlidingWindows { w.grace = d; return w }

// Bounds returns the time difference and the grace.
func (w SlidingWindows) Bounds() (diff, grace time.Duration) { return w.diff, w.grace }

// Starts returns from when to when windows start that a time may lie in, both included, milliseconds.
func (w SlidingWindows) Starts(ms int64) (first, last int64) {
	return max(0, ms-w.diff.Milliseconds()), ms
}

// From returns the window that starts at the given time, milliseconds.
func (w SlidingWindows) From(start int64) Span {
	return Span{start, after(start, w.diff.Milliseconds())}
}

// Left returns the window that ends with a record at the given time, milliseconds. Those of early records, which would
// start before 1970, are all one, that begins then.
func (w SlidingWindows) Left(ms int64) Span { return w.From(max(0, ms-w.diff.Milliseconds())) }

// Right returns the window that begins behind a record at the given time, milliseconds.
func (w SlidingWindows) Right(ms int64) Span { return w.From(after(ms, 1)) }

// Closed reports whether the window that starts at the given time takes no more records at a stream time, milliseconds.
func (w SlidingWindows) Closed(start, now int64) bool {
	return w.From(start).end < now-w.grace.Milliseconds()
}

// Retention implements Windows: twice the time difference, since a late record asks for the windows before its own, and
// grace.
func (w SlidingWindows) Retention() time.Duration { return add(w.diff, w.diff, w.grace) }

// Err implements Windows.
func (w SlidingWindows) Err() error {
	var c check
	c.whole(w.diff)
	c.report(w.diff < 0, "sliding windows of %v: want 0 or more", w.diff)
	c.grace(w.grace)
	return c.err()
}

func (SlidingWindows) windows() {}
