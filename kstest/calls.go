package kstest

import "github.com/millrace-streams/millrace/internal/task"

// answer makes the calls that records of a task wait for, one after the other, with all attempts. A driver does not wait: there
// is no time between attempts, and no timeout.
func (w *worker) answer() {
	for {
		calls := w.task.Calls()
		if len(calls) == 0 {
			return
		}
		for _, a := range calls {
			a.Answered(attempts(a))
		}
	}
}

func attempts(a *task.Asked) error {
	for n := 1; ; n++ {
		err := a.Try(a.Context())
		if err == nil {
			return nil
		}
		if _, again, final := a.Again(n, err); !again {
			return final
		}
	}
}
