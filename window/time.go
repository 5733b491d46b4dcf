package window

import (
	"iter"
	"time"
)

// TimeWindows are windows of one size that begin at multiples of an advance, counted from 1970: a record falls into all
// that its time lies in. The start of a window is part of it, the end is not.
//
//	0        advance    2·advance
//	├──────── size ────────┤
//	           ├──────── size ────────┤
//	                      ├──────── size ────────┤
type TimeWindows struct {
	size, advance, grace time.Duration
	from                 int64 // of Unlimited: where the one window begins, milliseconds
}

// Tumbling makes windows side by side: each record falls into one. Durations count in milliseconds.
func Tumbling(size time.Duration) TimeWindows { return TimeWindows{size: size, advance: size} }

// Hopping makes a window every advance: they overlap if that is less than size, and it must not be more.
func Hopping(size, advance time.Duration) TimeWindows {
	return TimeWindows{size: size, advance: advance}
}

// Unlimited makes one window from the given time on, without end; the zero Time means 1970. Earlier records fall into none.
func Unlimited(from time.Time) TimeWindows {
	w := TimeWindows{size: forever, advance: forever}
	if !from.IsZero() {
		w.from = from.UnixMilli()
	}
	return w
}

// Grace sets how late a record may come after the end of its window and still be taken; zero without it. Windows that
// end later than that before stream time are closed.
func (w TimeWindows) Grace(d time.Duration) TimeWindows { w.grace = d; return w }

// Bounds returns the size of the windows, the advance from the start of one to that of the next, and the grace. The size of
// Unlimited is the longest Duration, and its advance 0: there is no next one.
func (w TimeWindows) Bounds() (size, advance, grace time.Duration) {
	if w.size == forever {
		return w.size, 0, w.grace
	}
	return w.size, w.advance, w.grace
}

// Starts returns the starts of the windows that a time falls into: first, first+step … last, all milliseconds. There are
// none if first > last.
func (w TimeWindows) Starts(ms int64) (first, last, step int64) {
	if w.size == forever {
		if ms < w.from {
			return 0, -1, 1
		}
		return w.from, w.from, 1
	}
	size, step := w.size.Milliseconds(), w.advance.Milliseconds()
	if ms < 0 {
		return 0, -1, step
	}
	// The first that has not ended yet. It is found from the last: ms + step may be more than there is.
	last = ms / step * step
	first = last - (size-1-(ms-last))/step*step
	if first < 0 {
		first = 0
	}
	return first, last, step
}

// Of returns the windows that a time falls into, the earliest first.
func (w TimeWindows) Of(t time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		first, last, step := w.Starts(t.UnixMilli())
		for start := first; start <= last; start += step {
			if !yield(w.From(start)) || start > last-step {
				return
			}
		}
	}
}

// From returns the window that starts at the given time, milliseconds.
func (w TimeWindows) From(start int64) Span { return Span{start, after(start, millis(w.size))} }

// Closed reports whether the window that starts at the given time takes no more records at a stream time, milliseconds.
func (w TimeWindows) Closed(start, now int64) bool {
	return w.From(start).end <= now-w.grace.Milliseconds()
}

// Retention implements Windows: size and grace.
func (w TimeWindows) Retention() time.Duration { return add(w.size, w.grace) }

// Err implements Windows.
func (w TimeWindows) Err() error {
	var c check
	c.whole(w.size, w.advance)
	c.report(w.size < time.Millisecond, "windows of size %v: want at least a millisecond", w.size)
	c.report(w.advance < time.Millisecond || w.advance > w.size, "windows of size %v advance by %v: want at least a millisecond, and no more than the size, or records between them would be lost", w.size, w.advance)
	c.report(w.from < 0, "an unlimited window starts before 1970, at %d ms", w.from)
	c.grace(w.grace)
	return c.err()
}

func (TimeWindows) windows() {}
