package window

import (
	"errors"
	"fmt"
	"time"
)

// JoinWindows says which records of two streams meet in a join: those of equal key whose times lie close enough. It is a
// value; methods return changed copies.
//
//	                    a record of the stream at t
//	        t - before             │              t + after
//	─────────────┼─────────────────┼──────────────────┼──────────────►
//	             └── records of the other stream ─────┘
//	                 that meet it: both ends included
type JoinWindows struct {
	before, after, grace time.Duration
	every                time.Duration
	paced                bool // every was set
}

// pace is how often results without a match are looked for, unless EmitEvery says otherwise: as in Kafka Streams.
const pace = time.Second

// Within joins records at most d apart, either way. Durations count in milliseconds.
func Within(d time.Duration) JoinWindows { return JoinWindows{before: d, after: d} }

// Before sets how much older the record of the other stream may be. A negative d says how much newer it must be.
func (w JoinWindows) Before(d time.Duration) JoinWindows { w.before = d; return w }

// After sets how much newer the record of the other stream may be. A negative d says how much older it must be.
func (w JoinWindows) After(d time.Duration) JoinWindows { w.after = d; return w }

// Grace sets how late a record may come, after the window of its time has ended, and still be joined for certain; zero
// without it. Records that found no match are sent when the grace is over. Later ones are joined with what is still there.
func (w JoinWindows) Grace(d time.Duration) JoinWindows { w.grace = d; return w }

// EmitEvery sets how often, of wall-clock time, left and outer joins look for records whose window has closed without a
// match; a second without it, zero is at each chance. They are looked for when a record moves the event time of the join on.
func (w JoinWindows) EmitEvery(d time.Duration) JoinWindows { w.every, w.paced = d, true; return w }

// Bounds returns how much older and how much newer the other record may be, and the grace.
func (w JoinWindows) Bounds() (before, after, grace time.Duration) { return w.before, w.after, w.grace }

// Interval returns the least time between two looks for records without a match.
func (w JoinWindows) Interval() time.Duration {
	if !w.paced {
		return pace
	}
	return w.every
}

// Err returns what is wrong with the windows, nil if nothing is. Verbs report it.
func (w JoinWindows) Err() error {
	var errs []error
	for _, d := range []time.Duration{w.before, w.after, w.grace, w.every} {
		if d%time.Millisecond != 0 {
			errs = append(errs, fmt.Errorf("window: %v is not a whole number of milliseconds: round it", d))
		}
	}
	if w.before+w.after < 0 {
		errs = append(errs, fmt.Errorf("window: the join window ends before it starts: %v before and %v after make %v, want 0 or more", w.before, w.after, w.before+w.after))
	}
	if w.grace < 0 {
		errs = append(errs, fmt.Errorf("window: Grace(%v) is negative: want 0 or more", w.grace))
	}
	if w.every < 0 {
		errs = append(errs, fmt.Errorf("window: EmitEvery(%v) is negative: want 0 or more", w.every))
	}
	return errors.Join(errs...)
}
