package graph

// A Clock is an event time that a store or an operator has seen: the highest, milliseconds, -1 before the first. It
// travels with the committed offsets, so that a record that was late stays late after a restart; an abort and a rolled
// back record put it back. Whoever needs it may keep another number in one, from -1 (none) on: all offsets of a task are
// committed together, so it comes back as it was.
type Clock struct{ now int64 }

// NewClock returns a clock that has seen the given time, -1 for none.
func NewClock(now int64) *Clock { return &Clock{now} }

// Now returns the highest time seen, -1 before the first.
func (c *Clock) Now() int64 { return c.now }

// Raise sees a time and returns the highest seen.
func (c *Clock) Raise(ms int64) int64 {
	if c.now < ms {
		c.now = ms
	}
	return c.now
}

// Set sets the clock to a time, be it earlier. It is for the task, and for clocks that are no times.
func (c *Clock) Set(ms int64) { c.now = ms }
