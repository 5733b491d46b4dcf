package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Some steps wait for a call of user code that takes its time. The task does not wait inside a transaction: it looks ahead at
// buffered records, by running the steps between their source and such a step on them, hands out the calls these want made,
// and takes a record up once all of its calls are answered. So results enter in the order of offsets, and a commit finds
// whole records only.
//
//	recs      head ─────────────────────────────► buffered
//	previews  ready │ ready │ 1 open │ 3 open │ not looked at
//	            └ may be taken up        └ Calls ──► driver ──► Answered
//
// Looking ahead writes and sends nothing. The steps it runs keep no state (kstream sees to it), and run again when the record
// is taken up.

// ahead is what a task knows of calls.
type ahead struct {
	steps   []*waitingStep
	again   bool     // a call may follow from the answer of another
	queue   []*Asked // asked for, not handed out
	ctx     context.Context
	cancel  context.CancelFunc
	stalled *input // the record to be taken up waits for answers; nil: not
	batch   bool   // between Ahead and Committed: what is ready goes, whatever is earlier

	// The preview being made.
	meta    record.Meta
	in      *input
	rec     *record.In
	preview *preview
}

// A waitingStep is a step that waits for calls.
type waitingStep struct {
	node    *graph.Node
	running int // running <= node.Async.Parallel
}

// A preview is what looking ahead at a record has found.
type preview struct {
	calls  []*Asked // in the order they were asked for
	seen   int      // calls[:seen] were met by the steps, in the present run over the record
	open   int      // of calls, not answered
	peeked bool
	ready  bool // nothing more is asked for, and all is answered
	gone   bool // the record is not buffered any more
}

// rewind begins a run of the steps over the record.
func (p *preview) rewind() {
	p.seen = 0
	for _, a := range p.calls {
		a.seen = false
	}
}

// meet returns the next call of a step, nil if there is none.
func (p *preview) meet(n *graph.Node) *Asked {
	for p.seen < len(p.calls) && p.calls[p.seen].seen {
		p.seen++
	}
	for _, a := range p.calls[p.seen:] {
		if a.step.node == n && !a.seen {
			a.seen = true
			return a
		}
	}
	return nil
}

// Asked is a call to be made for a record that is buffered. The driver runs Try, as often as Again says, and hands the outcome
// to Answered.
type Asked struct {
	graph.Call
	t       *Task
	step    *waitingStep
	preview *preview
	ctx     context.Context
	seen    bool // met in the present run
	done    bool
	err     error
}

// Context ends when nobody waits for the answer any more: the task was closed, or its transaction aborted.
func (a *Asked) Context() context.Context { return a.ctx }

// Timeout returns how long one attempt may take.
func (a *Asked) Timeout() time.Duration { return a.step.node.Async.Timeout }

// Again returns how long to wait before another attempt, after the given one, from 1, has failed with err. When there is to be
// none, ok is false, and final is the error to answer with.
func (a *Asked) Again(attempt int, err error) (d time.Duration, ok bool, final error) {
	if d, ok = a.step.node.Async.Wait(attempt); ok && a.ctx.Err() == nil {
		return d, true, nil
	}
	if attempt > 1 {
		err = fmt.Errorf("%w (attempt %d)", err, attempt)
	}
	return 0, false, err
}

// Answered tells how a call ended. It belongs to the goroutine of the task, which may have been closed meanwhile.
func (a *Asked) Answered(err error) {
	a.done, a.err = true, err
	a.step.running--
	p := a.preview
	if p.open--; p.open == 0 && !a.t.ahead.again {
		p.ready = true
	}
	a.t.ahead.stalled = nil
}

// Calls returns calls to be made now, at most as many as may run at once. Call it whenever records were added, taken up, or
// calls answered.
func (t *Task) Calls() []*Asked {
	h := &t.ahead
	if len(h.steps) == 0 || t.lost > 0 || t.usable() != nil {
		return nil
	}
	t.clock = time.Time{}
	for _, in := range t.inputs {
		t.lookAt(in)
	}
	for t.room() > len(h.queue) && t.lookFurther() {
	}
	var out, left []*Asked
	for _, a := range h.queue {
		switch {
		case a.preview.gone:
		case a.step.running < a.step.node.Async.Parallel:
			a.step.running++
			out = append(out, a)
		default:
			left = append(left, a)
		}
	}
	h.queue = left
	return out
}

// room returns how many more calls may run.
func (t *Task) room() (n int) {
	for _, s := range t.ahead.steps {
		n += s.node.Async.Parallel - s.running
	}
	return n
}

// lookAt looks at the head of an input, and again at records whose answers may lead to further calls.
func (t *Task) lookAt(in *input) {
	if in.peek == nil {
		return
	}
	if len(in.previews) == 0 && in.buffered() > 0 {
		t.look(in)
	}
	if len(in.previews) > 0 && !in.previews[0].peeked && !t.held() {
		t.peek(in, 0)
	}
	if !t.ahead.again {
		return
	}
	for i, p := range in.previews {
		if p.peeked && !p.ready && p.open == 0 {
			t.peek(in, i)
		}
	}
}

// farthest is how many records ahead are looked at, at most: of those that need no calls there may be many.
const farthest = 4096

// lookFurther looks at one more record, of the input with the fewest previews, so that none starves. It reports whether there
// was one.
func (t *Task) lookFurther() bool {
	var best *input
	for _, in := range t.inputs {
		if n := len(in.previews); in.peek != nil && n < in.buffered() && n < farthest && (best == nil || n < len(best.previews)) {
			best = in
		}
	}
	if best == nil {
		return false
	}
	t.look(best)
	return true
}

// look makes the next preview of an input.
func (t *Task) look(in *input) {
	in.previews = append(in.previews, &preview{})
	t.peek(in, len(in.previews)-1)
}

// peek runs the steps up to those that wait for calls on a buffered record. One that fails is ready: it will fail again when
// it is taken up, where the error policy can be asked.
func (t *Task) peek(in *input, i int) {
	h, r, p := &t.ahead, &in.recs[in.head+i], in.previews[i]
	defer func() {
		if recover() != nil {
			p.ready = p.open == 0
		}
		h.in, h.rec, h.preview = nil, nil, nil
	}()
	h.in, h.rec, h.preview = in, r, p
	p.peeked = true
	p.rewind()
	at := r.Time
	if f := in.node.Source.Time; f != nil {
		var err error
		if at, err = f(in.tp.Topic, in.tp.Partition, r, in.time); err != nil {
			record.Fail(int32(in.node.ID), err)
		}
	}
	h.meta = record.Meta{Time: at, Headers: r.Headers, NoKey: r.Key == nil, NoValue: r.Value == nil, Node: int32(in.node.ID)}
	known := len(p.calls)
	in.peek(&h.meta, r)
	p.ready = p.open == 0 && len(p.calls) == known
	t.ahead.stalled = nil
}

// errUnforeseen is what a record fails with that wants a call made that it did not want when it was looked ahead at.
var errUnforeseen = errors.New("a call is wanted that was not when the record was looked ahead at: the steps before it must give the same each time they run")

// Await implements graph.Env for the record in hand.
func (e env) Await(n *graph.Node, _ func() graph.Call) (graph.Call, bool, error) {
	t := e.t
	if t.stage != running || len(t.cur.previews) == 0 {
		record.Fail(int32(n.ID), errUnforeseen)
	}
	a := t.cur.previews[0].meet(n)
	if a == nil || !a.done {
		record.Fail(int32(n.ID), errUnforeseen)
	}
	return a.Call, true, a.err
}

// peekEnv is the task as the steps see it that look ahead: they find out what the record is, and nothing comes of it.
type peekEnv struct{ env }

// Await implements graph.Env for a record that is looked ahead at.
func (e peekEnv) Await(n *graph.Node, ask func() graph.Call) (graph.Call, bool, error) {
	h := &e.t.ahead
	p := h.preview
	if a := p.meet(n); a != nil {
		return a.Call, a.done, a.err
	}
	i := slices.IndexFunc(h.steps, func(s *waitingStep) bool { return s.node == n })
	a := &Asked{Call: ask(), t: e.t, step: h.steps[i], preview: p, ctx: h.ctx, seen: true}
	p.calls = append(p.calls, a)
	p.open++
	h.queue = append(h.queue, a)
	return a.Call, false, nil
}

func (e peekEnv) Meta() *record.Meta           { return &e.t.ahead.meta }
func (e peekEnv) Send(*record.Out)             {}
func (e peekEnv) Drop(*graph.Node, string)     {}
func (e peekEnv) AtCommit(*graph.Node, func()) {}
func (e peekEnv) AtIdle(*graph.Node, func())   {}
func (e peekEnv) OnRollback(func())            {}
func (e peekEnv) OnClose(func())               {}
func (e peekEnv) RequestCommit()               {}

func (e peekEnv) Position() (topic string, partition int32, offset int64, ok bool) {
	h := &e.t.ahead
	if h.rec == nil {
		return "", 0, 0, false
	}
	return h.in.tp.Topic, h.in.tp.Partition, h.rec.Offset, true
}

// wireAhead makes the functions that look ahead, for the sources that need one.
func (t *Task) wireAhead() (map[*graph.Node]func(*record.Meta, *record.In), error) {
	before := map[*graph.Node]bool{} // steps that such a one stands behind, or that are one
	for _, n := range slices.Backward(t.c.Sub.Nodes) {
		for _, c := range n.Children {
			before[n] = before[n] || before[c]
		}
		if n.Async != nil {
			t.ahead.again = t.ahead.again || before[n]
			t.ahead.steps = append(t.ahead.steps, &waitingStep{node: n})
			before[n] = true
		}
	}
	if len(t.ahead.steps) == 0 {
		return nil, nil
	}
	t.ahead.ctx, t.ahead.cancel = context.WithCancel(t.ctx)
	functions, sources := map[*graph.Node]any{}, map[*graph.Node]func(*record.Meta, *record.In){}
	for _, n := range slices.Backward(t.c.Sub.Nodes) {
		if !before[n] {
			continue
		}
		t.wiring = n
		var downs []any
		for _, c := range n.Children {
			switch {
			case before[c]:
				downs = append(downs, functions[c])
			case n.Kind == "split": // it knows its cases by their place; a case that is not looked at does nothing
				downs = append(downs, c.Fan(nil))
			}
		}
		if n.Fan == nil {
			return nil, fmt.Errorf("task: node %s (%s) has no way to fan out", n.Name, n.At)
		}
		down := n.Fan(downs)
		switch {
		case n.Source != nil:
			sources[n] = n.Source.Wire(peekEnv{env{t}}, down)
		case n.Kind == "peek": // what the user wants to be called with records, not with previews
			functions[n] = down
		default:
			functions[n] = n.Wire(peekEnv{env{t}}, down)
		}
	}
	t.wiring = nil
	return sources, nil
}

// ready reports whether all calls of the head of an input are answered.
func (in *input) ready() bool {
	return in.peek == nil || len(in.previews) > 0 && in.previews[0].ready
}

// unordered reports whether an input's records may be taken up before earlier ones of inputs that wait.
func (t *Task) unordered() bool {
	return t.ahead.batch || !slices.ContainsFunc(t.ahead.steps, func(s *waitingStep) bool { return !s.node.Async.Unordered })
}

// await returns the input whose head is to be taken up, given that of the smallest; nil: its calls are not answered.
func (t *Task) await(first *input) *input {
	if first.ready() {
		return first
	}
	if t.unordered() {
		var best *input
		for _, in := range t.heads {
			if in.ready() && (best == nil || before(in, best)) {
				best = in
			}
		}
		if best != nil {
			return best
		}
	}
	t.ahead.stalled = first
	return nil
}

func (t *Task) whyStalled() string {
	in := t.ahead.stalled
	step, open := t.ahead.steps[0].node, 0
	if len(in.previews) > 0 {
		p := in.previews[0]
		open = p.open
		for _, a := range p.calls {
			if !a.done {
				step = a.step.node
			}
		}
	}
	return fmt.Sprintf("%s@%d waits for %d calls of %s", in.tp, in.recs[in.head].Offset, open, step.Name)
}

// forget drops the preview of an input's head.
func (in *input) forget() {
	if len(in.previews) > 0 {
		in.previews[0].gone = true
		in.previews[0] = nil
		in.previews = in.previews[1:]
	}
}

func (in *input) forgetAll() {
	for _, p := range in.previews {
		p.gone = true
	}
	in.previews = nil
}

// askAgain has the calls of a record made again, once it may be tried again, if it was one of them that failed.
func (t *Task) askAgain(in *input) {
	if len(in.previews) > 0 && slices.ContainsFunc(in.previews[0].calls, func(a *Asked) bool { return a.err != nil }) {
		in.previews[0].gone = true
		in.previews[0] = &preview{}
	}
}

// forgetAhead drops all previews: their records will be fetched again.
func (t *Task) forgetAhead() {
	h := &t.ahead
	if len(h.steps) == 0 {
		return
	}
	for _, in := range t.inputs {
		in.forgetAll()
	}
	h.queue, h.stalled, h.batch = nil, nil, false
	h.cancel()
	h.ctx, h.cancel = context.WithCancel(t.ctx)
}
