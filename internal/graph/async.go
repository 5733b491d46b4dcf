package graph

import (
	"context"
	"time"
)

// Async says how a step calls a function of the user that waits for something else: outside of transactions, while records
// are looked ahead at.
type Async struct {
	Parallel  int           // calls at once per task
	Timeout   time.Duration // of one attempt
	Retries   int           // attempts after a failed one
	Backoff   time.Duration // before the first retry, doubled each time
	Unordered bool          // a record may go before one of another input that is earlier and still waits
}

// Wait returns how long to wait before another attempt after the given one, from 1, has failed. ok is false when there is to
// be none.
func (a *Async) Wait(attempt int) (d time.Duration, ok bool) {
	if attempt > a.Retries {
		return 0, false
	}
	return a.Backoff << (attempt - 1), true
}

// Bound returns how long a call may take at most, with all attempts, if its function heeds its context.
func (a *Async) Bound() time.Duration {
	total := a.Timeout
	for attempt := 1; ; attempt++ {
		wait, ok := a.Wait(attempt)
		if !ok || total > 1000*time.Hour || wait < 0 {
			return total
		}
		total += wait + a.Timeout
	}
}

// A Call is one call to be made for a record.
type Call interface {
	// Try makes an attempt, and keeps what comes of it. It may be called on any goroutine, one at a time. A panic of the
	// user's function is an error.
	Try(ctx context.Context) error
}
