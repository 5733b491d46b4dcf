package task

// Observed returns what the clock of a store or an operator shows, milliseconds, -1 if it has seen nothing: for those who look
// at a store from outside, where what has expired must not show.
func (t *Task) Observed(clock string) int64 {
	if c := t.clockOf(clock); c != nil {
		return c.Now()
	}
	return -1
}
