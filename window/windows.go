package window

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Windows is a rule that assigns records to windows: TimeWindows or SlidingWindows.
type Windows interface {
	// Err returns what is wrong with the rule, nil if nothing is. Verbs report it.
	Err() error
	// Retention returns how long stores keep a window, from its start, unless they are told: at least until it is closed.
	Retention() time.Duration
	windows()
}

// check collects what is wrong with a rule.
type check struct{ errs []error }

// whole reports durations that are no whole numbers of milliseconds, in which event time is counted. forever is none.
func (c *check) whole(all ...time.Duration) {
	for _, d := range all {
		if d%time.Millisecond != 0 && d != forever {
			c.errs = append(c.errs, fmt.Errorf("window: %v is not a whole number of milliseconds: round it", d))
		}
	}
}

func (c *check) report(wrong bool, format string, args ...any) {
	if wrong {
		c.errs = append(c.errs, fmt.Errorf("window: "+format, args...))
	}
}

// grace reports a negative grace.
func (c *check) grace(d time.Duration) {
	c.whole(d)
	c.report(d < 0, "Grace(%v) is negative: want 0 or more", d)
}

func (c *check) err() error { return errors.Join(c.errs...) }

// forever is the size of a window without end.
const forever time.Duration = math.MaxInt64

// add adds durations and stops at forever.
func add(ds ...time.Duration) (sum time.Duration) {
	for _, d := range ds {
		if sum += d; sum < 0 && d >= 0 {
			return forever
		}
	}
	return sum
}

// after returns the time d milliseconds after ms, at most the last there is.
func after(ms, d int64) int64 {
	if ms > math.MaxInt64-d {
		return math.MaxInt64
	}
	return ms + d
}

// millis returns a size in milliseconds. That of a window without end reaches every time there is.
func millis(d time.Duration) int64 {
	if d == forever {
		return math.MaxInt64
	}
	return d.Milliseconds()
}
