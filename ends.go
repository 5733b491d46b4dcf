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
	want map[*input]uint64 // records the task had been given when it asked
	wake chan struct{}
}

// An endAnswer is the end of an input, -1 when it could not be asked for, and what the task had been given by then.
type endAnswer struct {
	offset int64
	given  uint64
}

// endsPause is the time between two questions for one input that stays behind its end.
const endsPause = 5 * time.Millisecond

func newEndsAsker(p *process) *endsAsker {
	return &endsAsker{p: p, want: map[*input]uint64{}, wake: make(chan struct{}, 1)}
}

// askEnds asks for the ends a task needs to know.
func (w *worker) askEnds(s *slot) {
	if len(s.inputs) < 2 && s.sub.Idle == 0 {
		return
	}
	if len(s.inputs) > 1 && slices.ContainsFunc(s.inputs, func(in *input) bool { return in.inTask > 0 }) {
		w.p.reader.starve() // it waits for another input
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
	if len(s.inputs) < 2 && s.sub.Idle == 0 {
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
		if end.given != in.given {
			continue // records have come since it was asked for: it proves nothing about what follows them
		}
		if end := end.offset; end >= 0 && in.live {
			in.slot.task.SetEnd(in.tp, end)
		}
	}
}

func (e *endsAsker) ask(in *input) {
	e.mu.Lock()
	e.want[in] = in.given
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
		e.want = map[*input]uint64{}
		e.mu.Unlock()
		if len(want) > 0 {
			e.answer(ctx, want)
		}
	}
}

// answer asks for the ends of some inputs and tells their workers; what could not be asked is answered with -1.
func (e *endsAsker) answer(ctx context.Context, want map[*input]uint64) {
	var tps []task.TP
	for in := range want {
		tps = append(tps, in.tp)
	}
	ends, err := e.p.listEnds(ctx, tps, true)
	if err != nil {
		e.p.log.Debug("millrace: ask for ends", "error", err)
	}
	byWorker := map[*worker]map[*input]endAnswer{}
	for in, given := range want {
		w := in.slot.worker
		if byWorker[w] == nil {
			byWorker[w] = map[*input]endAnswer{}
		}
		end, ok := ends[in.tp]
		if !ok {
			end = -1
		}
		byWorker[w][in] = endAnswer{end, given}
	}
	for w, m := range byWorker {
		w.mail.put(mailEnds{m})
	}
}
