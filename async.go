package millrace

import (
	"context"
	"time"

	"github.com/millrace-streams/millrace/internal/task"
)

// mailAnswer tells a worker how a call of user code has ended that a record of a task waits for.
type mailAnswer struct {
	asked *task.Asked
	err   error
}

// ask starts the calls that records of a slot's task wait for. Each runs on a goroutine of its own, which ends with the call: its
// function returns soon after its context ends, and that ends when the task is closed or its transaction aborted.
func (w *worker) ask(s *slot) {
	for _, a := range s.task.Calls() {
		w.calls.Go(func() { w.mail.put(mailAnswer{a, attempts(a)}) })
	}
}

// attempts makes a call, again if need be.
func attempts(a *task.Asked) error {
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(a.Context(), a.Timeout())
		err := a.Try(ctx)
		cancel()
		if err == nil {
			return nil
		}
		wait, again, final := a.Again(n, err)
		if !again {
			return final
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-a.Context().Done():
		}
		t.Stop()
	}
}
