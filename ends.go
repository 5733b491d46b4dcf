package millrace

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/millrace-streams/millrace/internal/task"
)

// An input that has nothing buffered is proven empty by its end (the last stable offset), asked for after the last records of it
// were taken: only then may a task with several inputs go on without it and keep the order of event times. The questions of
// all workers go out in one request.
type endsAsker struct {
	p    *process
	mu   sync.Mutex
	want map[*input]bool
	wake chan struct{}
}

// endsPause is the time between two questions for one input that stays behind its end.
const endsPause = 5 * time.Millisecond

func newEndsAsker(p *process) *endsAsker {
	return &endsAsker{p: p, want: map[*input]bool{}, wake: make(chan struct{}, 1)}
}

// askEnds asks for the ends a task needs to know.
func (w *worker) askEnds(s *slot) {
	if len(s.inputs) < 2 {
		return
	}
	for _, tp := range s.task.NeedEnds() {
		i := slices.IndexFunc(s.inputs, func(in *input) bool { return in.tp == tp })
		if in := s.inputs[i]; !in.endAsked && !w.now.Before(in.endAgain) {
			in.endAsked = true
			w.p.ends.ask(in)
		}
	}
}

// endsDue returns when the next question of a slot may be asked; zero when none waits.
func (w *worker) endsDue(s *slot) (due time.Time) {
	if len(s.inputs) < 2 {
		return due
	}
	for _, in := range s.inputs {
		if !in.endAsked && w.now.Before(in.endAgain) && (due.IsZero() || in.endAgain.Before(due)) {
			due = in.endAgain
		}
	}
	return due
}

// ends takes an answer.
func (w *worker) ends(m mailEnds) {
	for in, end := range m.ends {
		in.endAsked = false
		in.endAgain = w.now.Add(endsPause)
		if end >= 0 && in.slot.task != nil && slices.Contains(in.slot.inputs, in) {
			in.slot.task.SetEnd(in.tp, end)
		}
	}
}

func (e *endsAsker) ask(in *input) {
	e.mu.Lock()
	e.want[in] = true
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// run asks until ctx ends.
func (e *endsAsker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		e.mu.Lock()
		want := e.want
		e.want = map[*input]bool{}
		e.mu.Unlock()
		if len(want) > 0 {
			e.answer(ctx, want)
		}
	}
}

// answer asks for the ends of some inputs and tells their workers; what could not be asked is answered with -1.
func (e *endsAsker) answer(ctx context.Context, want map[*input]bool) {
	var tps []task.TP
	for in := range want {
		tps = append(tps, in.tp)
	}
	ends, err := e.p.listEnds(ctx, tps, true)
	if err != nil {
		e.p.log.Debug("millrace: ask for ends", "error", err)
	}
	byWorker := map[*worker]map[*input]int64{}
	for in := range want {
		w := in.slot.worker
		if byWorker[w] == nil {
			byWorker[w] = map[*input]int64{}
		}
		end, ok := ends[in.tp]
		if !ok {
			end = -1
		}
		byWorker[w][in] = end
	}
	for w, m := range byWorker {
		w.mail.put(mailEnds{m})
	}
}
