package txn

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace-streams/millrace/topology"
)

// TestScenarios drives a Machine against a small model of Kafka and of a worker's memory. Input record i of a task gives output i
// and state i, so a transcript shows at a glance what is lost or doubled: outputs must read 1 2 3 …, and offset and
// state must be the last of them. Verbs:
//
//	start [guarantee=G]          a worker with tasks 0_0 and 0_1, in generation 1
//	process TASK N               the worker processes N records
//	commit                       it is time to commit
//	answers flush=E offsets=E end=E abort=E init=E group=E
//	                             how Kafka answers the next request of that kind; end=applied-but-lost, end=lost
//	hold [TASK …], release, lost the group: a rebalance begins, is over, the membership is gone
//	rival                        another producer takes the transactional id
//	rebalanced                   the group moves to a newer generation, which the worker does not know of
//	expire, fail, stop           the transaction is too old; a record failed for good; the process ends
//	elsewhere TASK N             another process that owns the task now does N records, from what Kafka has
//	show                         what Kafka has committed, and what the worker has in memory
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		w := &world{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.out.Reset()
			w.verb(d)
			if w.out.Len() == 0 {
				return "(nothing)\n"
			}
			return w.out.String()
		})
	})
}

type world struct {
	t   *testing.T
	out strings.Builder
	m   *Machine

	kafka struct {
		outputs    map[string][]int // visible to a read_committed reader
		offset     map[string]int
		state      map[string]int // by the changelog
		open       *transaction
		epoch      int
		generation int
	}
	worker struct {
		tasks      []string
		next       map[string]int // last record processed
		last       map[string]int // at the last Apply
		state      map[string]int // in the store
		overlay    map[string]int // uncommitted
		sent       []output       // not flushed
		epoch      int
		generation int
	}
	answers map[string]string
}

type output struct {
	task string
	n    int
}

// transaction is what the broker holds of an open one.
type transaction struct {
	outputs []output
	offsets map[string]int
}

func (w *world) verb(d *datadriven.TestData) {
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	switch d.Cmd {
	case "start":
		g := ExactlyOnce
		if d.HasArg("guarantee") {
			var s string
			d.ScanArgs(w.t, "guarantee", &s)
			g = map[string]Guarantee{"at-least-once": AtLeastOnce, "at-most-once": AtMostOnce}[s]
		}
		w.m = NewMachine(g)
		w.kafka.outputs, w.kafka.offset, w.kafka.state = map[string][]int{}, map[string]int{}, map[string]int{}
		w.worker.tasks = []string{"0_0", "0_1"}
		w.worker.next, w.worker.last, w.worker.state, w.worker.overlay = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
		w.kafka.generation, w.worker.generation = 1, 1
		w.answers = map[string]string{}
		w.step(Event{Kind: Started})
	case "process":
		task := args[0]
		if !slices.Contains(w.worker.tasks, task) {
			fmt.Fprintf(&w.out, "%s is not ours\n", task)
			return
		}
		n, err := strconv.Atoi(args[1])
		if err != nil {
			w.t.Fatal(err)
		}
		for range n {
			w.step(Event{Kind: Wrote})
			w.worker.next[task]++
			w.worker.overlay[task] = w.worker.next[task]
			w.worker.sent = append(w.worker.sent, output{task, w.worker.next[task]})
		}
	case "commit":
		w.step(Event{Kind: CommitDue, Dirty: w.dirty()})
	case "answers":
		for _, a := range d.CmdArgs {
			w.answers[a.Key] = a.Vals[0]
		}
	case "hold":
		var ids []topology.TaskID
		for _, a := range args {
			var id topology.TaskID
			if _, err := fmt.Sscanf(a, "%d_%d", &id.Subtopology, &id.Partition); err != nil {
				w.t.Fatal(err)
			}
			ids = append(ids, id)
		}
		w.step(Event{Kind: Held, Tasks: ids, Dirty: w.dirty()})
	case "release":
		w.worker.generation = w.kafka.generation
		w.step(Event{Kind: Released})
	case "lost":
		w.step(Event{Kind: LostAll})
	case "rival":
		w.kafka.epoch++
		w.kafka.open = nil
	case "rebalanced":
		w.kafka.generation++
	case "expire":
		w.step(Event{Kind: Expired})
	case "fail":
		w.step(Event{Kind: RecordFailed, Err: errors.New("record 0_0@2 failed")})
	case "stop":
		w.step(Event{Kind: StopAsked, Dirty: w.dirty()})
	case "elsewhere":
		task := args[0]
		n, err := strconv.Atoi(args[1])
		if err != nil {
			w.t.Fatal(err)
		}
		for range n {
			next := w.kafka.offset[task] + 1
			w.kafka.outputs[task] = append(w.kafka.outputs[task], next)
			w.kafka.offset[task] = next
			w.kafka.state[task]++
		}
	case "show":
		w.show()
	default:
		w.t.Fatalf("unknown verb %q", d.Cmd)
	}
}

func (w *world) dirty() bool {
	return slices.ContainsFunc(w.worker.tasks, func(t string) bool { return w.worker.next[t] != w.worker.last[t] })
}

// step feeds an event, does the actions and feeds their answers.
func (w *world) step(e Event) {
	actions := w.m.Step(e)
	for len(actions) > 0 {
		a := actions[0]
		actions = actions[1:]
		fmt.Fprintf(&w.out, "%v", a)
		next, ok := w.do(a)
		if !ok {
			w.out.WriteString("\n")
			continue
		}
		fmt.Fprintf(&w.out, " -> %v", next.Kind)
		if next.Err != nil {
			fmt.Fprintf(&w.out, " (%v)", next.Err)
		}
		w.out.WriteString("\n")
		actions = append(actions, w.m.Step(next)...)
	}
}

// answer takes the scripted answer to a kind of request.
func (w *world) answer(kind string) string {
	a := w.answers[kind]
	delete(w.answers, kind)
	return a
}

func (w *world) do(a Action) (Event, bool) {
	result := func(err error, ok, failed EventKind) (Event, bool) {
		if err != nil {
			return Event{Kind: failed, Err: err}, true
		}
		return Event{Kind: ok}, true
	}
	switch a.Kind {
	case Init:
		if err := code(w.answer("init")); err != nil {
			return Event{Kind: InitFailed, Err: err}, true
		}
		w.kafka.epoch++
		w.worker.epoch = w.kafka.epoch
		w.kafka.open = nil // an older transaction of the id is aborted
		return Event{Kind: InitDone}, true
	case Flush:
		if err := code(w.answer("flush")); err != nil {
			return Event{Kind: FlushFailed, Err: err}, true
		}
		if w.m.guarantee != ExactlyOnce {
			for _, o := range w.worker.sent {
				w.kafka.outputs[o.task] = append(w.kafka.outputs[o.task], o.n)
				w.kafka.state[o.task] = o.n
			}
		} else if w.fenced() {
			return Event{Kind: FlushFailed, Err: kerr.InvalidProducerEpoch}, true
		} else {
			if w.kafka.open == nil {
				w.kafka.open = &transaction{offsets: map[string]int{}}
			}
			w.kafka.open.outputs = append(w.kafka.open.outputs, w.worker.sent...)
		}
		w.worker.sent = nil
		return Event{Kind: Flushed}, true
	case SendOffsets:
		err := code(w.answer("offsets"))
		switch {
		case err != nil:
		case w.fenced():
			err = kerr.InvalidProducerEpoch
		case w.worker.generation != w.kafka.generation:
			err = kerr.IllegalGeneration
		default:
			for _, t := range w.worker.tasks {
				w.kafka.open.offsets[t] = w.worker.next[t]
			}
		}
		return result(err, OffsetsSent, OffsetsFailed)
	case CommitOffsets:
		err := code(w.answer("offsets"))
		if err == nil && w.worker.generation != w.kafka.generation {
			err = kerr.IllegalGeneration
		}
		if err == nil {
			for _, t := range w.worker.tasks {
				w.kafka.offset[t] = w.worker.next[t]
			}
		}
		return result(err, OffsetsCommitted, OffsetsRefused)
	case Run:
		return Event{Kind: Ran}, true
	case End:
		how := w.answer("end")
		switch {
		case how == "lost":
			return Event{Kind: EndFailed, Err: errors.New("no answer")}, true
		case w.fenced():
			return Event{Kind: EndFailed, Err: kerr.InvalidProducerEpoch}, true
		case how != "" && how != "applied-but-lost":
			return Event{Kind: EndFailed, Err: code(how)}, true
		}
		for _, o := range w.kafka.open.outputs {
			w.kafka.outputs[o.task] = append(w.kafka.outputs[o.task], o.n)
			w.kafka.state[o.task] = o.n
		}
		for t, o := range w.kafka.open.offsets {
			w.kafka.offset[t] = o
		}
		w.kafka.open = nil
		if how != "" {
			return Event{Kind: EndFailed, Err: errors.New("no answer")}, true
		}
		return Event{Kind: Ended}, true
	case Abort:
		w.worker.sent = nil
		if err := code(w.answer("abort")); err != nil {
			return Event{Kind: AbortFailed, Err: err}, true
		}
		if w.fenced() {
			return Event{Kind: AbortFailed, Err: kerr.ProducerFenced}, true
		}
		w.kafka.open = nil
		return Event{Kind: Aborted}, true
	case Apply:
		for t, s := range w.worker.overlay {
			w.worker.state[t] = s
		}
		clear(w.worker.overlay)
		for _, t := range w.worker.tasks {
			w.worker.last[t] = w.worker.next[t]
		}
	case Drop:
		clear(w.worker.overlay)
	case Rewind:
		for _, t := range w.worker.tasks {
			w.worker.next[t] = w.worker.last[t]
		}
	case Reopen:
		for _, t := range w.worker.tasks {
			w.worker.next[t], w.worker.last[t], w.worker.state[t] = w.kafka.offset[t], w.kafka.offset[t], w.kafka.state[t]
		}
	case Close:
		w.worker.tasks = slices.DeleteFunc(w.worker.tasks, func(t string) bool {
			gone := a.All || slices.ContainsFunc(a.Tasks, func(id topology.TaskID) bool { return id.String() == t })
			if gone {
				delete(w.worker.overlay, t)
			}
			return gone
		})
	case CloseProducer:
		w.worker.sent = nil
	case AskGroup:
		if w.answer("group") == "gone" {
			return Event{Kind: LostAll}, true
		}
		return Event{Kind: Member}, true
	}
	return Event{}, false
}

func (w *world) fenced() bool { return w.worker.epoch != w.kafka.epoch }

func code(s string) error {
	if s == "" {
		return nil
	}
	for _, e := range []error{kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.UnknownServerError,
		kerr.MessageTooLarge, kerr.FencedInstanceID, kerr.TransactionalIDAuthorizationFailed, kerr.NotCoordinator, kerr.RequestTimedOut} {
		if e.(*kerr.Error).Message == s {
			return e
		}
	}
	return errors.New(s)
}

// show prints the state, and whether it is exactly once.
func (w *world) show() {
	fmt.Fprintf(&w.out, "machine: %s\n", w.m.Describe())
	for _, t := range []string{"0_0", "0_1"} {
		fmt.Fprintf(&w.out, "%s kafka: outputs %v offset %d state %d", t, w.kafka.outputs[t], w.kafka.offset[t], w.kafka.state[t])
		if slices.Contains(w.worker.tasks, t) {
			fmt.Fprintf(&w.out, "; worker: processed %d store %d", w.worker.next[t], w.worker.state[t])
			if o, ok := w.worker.overlay[t]; ok {
				fmt.Fprintf(&w.out, " uncommitted %d", o)
			}
		}
		w.out.WriteString("\n")
		want := 0
		for _, n := range w.kafka.outputs[t] {
			if want++; n != want {
				fmt.Fprintf(&w.out, "%s NOT EXACTLY ONCE: output %d where %d belongs\n", t, n, want)
				break
			}
		}
		if n := len(w.kafka.outputs[t]); w.kafka.offset[t] != n || w.kafka.state[t] != n {
			fmt.Fprintf(&w.out, "%s NOT ATOMIC: %d outputs, offset %d, state %d\n", t, n, w.kafka.offset[t], w.kafka.state[t])
		}
	}
}
