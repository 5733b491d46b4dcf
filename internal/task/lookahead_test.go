package task_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A waiting is a task of two inputs whose records wait for calls.
type waiting struct {
	*task.Task
	t     *testing.T
	sent  []string
	asked []*task.Asked // handed out and not answered
}

var waitA, waitB = task.TP{Topic: "a"}, task.TP{Topic: "b"}

func newWaiting(t *testing.T, a kstream.Async) *waiting {
	b := topology.NewBuilder()
	topic := topology.NewTopic("a", serde.String, serde.String)
	kstream.From(b, topic.AndNamed("b")).
		MapValuesAsync(func(_ context.Context, _, v string) (string, error) { return v, nil }, a).As("ask").
		To(topic.Named("out"))
	w := &waiting{t: t}
	var err error
	w.Task, err = task.New(task.Config{
		Sub: (*graph.Plan)(topology.Must(b.Build())).Subs[0], ApplicationID: "app", Inputs: []task.TP{waitA, waitB}, MaxIdle: -1,
		Send: func(o *record.Out) { w.sent = append(w.sent, string(o.Value)) },
		Now:  func() time.Time { return time.Unix(0, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.resume(0, 0)
	return w
}

func (w *waiting) resume(a, b int64) {
	w.Resume(waitA, a, "")
	w.Resume(waitB, b, "")
}

func (w *waiting) add(tp task.TP, offset int64, values ...string) {
	var recs []record.In
	for i, v := range values {
		recs = append(recs, record.In{Key: []byte("k"), Value: []byte(v), Offset: offset + int64(i), Time: offset + int64(i)})
	}
	w.Add(tp, recs, offset+int64(len(values)))
}

// ask takes up new calls, and returns how many there are.
func (w *waiting) ask() int {
	calls := w.Calls()
	w.asked = append(w.asked, calls...)
	return len(calls)
}

// answer answers a call, by its place among those handed out.
func (w *waiting) answer(i int) {
	w.t.Helper()
	a := w.asked[i]
	w.asked = slices.Delete(w.asked, i, i+1)
	a.Answered(a.Try(a.Context()))
	w.process()
}

func (w *waiting) process() {
	w.t.Helper()
	if _, err := w.Process(100); err != nil {
		w.t.Fatal(err)
	}
}

func (w *waiting) expect(sent string) {
	w.t.Helper()
	if got := strings.Join(w.sent, " "); got != sent {
		w.t.Errorf("sent %q, want %q", got, sent)
	}
}

func (w *waiting) offsets(of []task.Offset) string {
	var all []string
	for _, o := range of {
		all = append(all, fmt.Sprint(o.Topic, o.Offset))
	}
	return strings.Join(all, " ")
}

func TestAnswersEnterInTheOrderOfTheirRecordsHoweverTheyCome(t *testing.T) {
	w := newWaiting(t, kstream.Async{Parallel: 3})
	w.add(waitA, 0, "0", "1", "2", "3")
	if n := w.ask(); n != 3 {
		t.Fatalf("%d calls, want 3", n)
	}
	w.answer(2)
	w.answer(1)
	w.expect("")
	if ok, why, _ := w.Ready(); ok || why != "a/0@0 waits for 1 calls of ask" {
		t.Errorf("ready: %v, %q", ok, why)
	}
	if w.Dirty() {
		t.Error("a record that waits has done something")
	}
	if n := w.ask(); n != 1 {
		t.Errorf("%d calls, want 1: one runs, and one record is left", n)
	}
	w.answer(0)
	w.expect("0 1 2")
	if got := w.offsets(w.Offsets()); got != "a3" {
		t.Errorf("offsets %s", got)
	}
	w.Committed()
	w.answer(0)
	w.expect("0 1 2 3")
}

func TestARecordThatWaitsHoldsOtherInputsBackUnlessUnordered(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		w := newWaiting(t, kstream.Async{Unordered: unordered})
		w.add(waitA, 0, "a0", "a1")
		w.add(waitB, 10, "b10", "b11")
		w.ask()
		for i := len(w.asked) - 1; i >= 0; i-- {
			if i > 0 { // all but that of the first record
				w.answer(i)
			}
		}
		if want := map[bool]string{true: "b10 b11"}[unordered]; strings.Join(w.sent, " ") != want {
			t.Errorf("unordered %v: sent %q, want %q", unordered, w.sent, want)
		}
		w.answer(0)
		slices.Sort(w.sent)
		w.expect("a0 a1 b10 b11")
	}
}

func TestAnswersToCallsOfAnAbortedTransactionAreOfNoUse(t *testing.T) {
	w := newWaiting(t, kstream.Async{Parallel: 2})
	w.add(waitA, 0, "0", "1")
	w.ask()
	old := slices.Clone(w.asked)
	w.Abort()
	if old[0].Context().Err() == nil {
		t.Error("the calls are not told that nobody waits")
	}
	w.resume(0, 0)
	w.add(waitA, 0, "0", "1")
	w.asked = nil
	if n := w.ask(); n != 0 {
		t.Errorf("%d calls while as many as may still run", n)
	}
	for _, a := range old {
		a.Answered(errors.New("cancelled"))
	}
	w.process()
	w.expect("")
	if n := w.ask(); n != 2 {
		t.Errorf("%d calls, want the two again", n)
	}
	w.answer(0)
	w.answer(0)
	w.expect("0 1")
}

func TestACallOutlivesItsTask(t *testing.T) {
	w := newWaiting(t, kstream.Async{})
	w.add(waitA, 0, "0")
	w.ask()
	w.Close()
	if w.asked[0].Context().Err() == nil {
		t.Error("the call is not told that nobody waits")
	}
	w.asked[0].Answered(nil)
	if n := w.ask(); n != 0 {
		t.Errorf("%d calls of a closed task", n)
	}
}

// At most once, offsets are committed ahead: of what is ready, and all of that is then processed.
func TestOffsetsAheadGoAsFarAsRecordsAreReady(t *testing.T) {
	w := newWaiting(t, kstream.Async{})
	w.add(waitA, 0, "a0", "a1")
	w.add(waitB, 5, "b5", "b6")
	w.ask()
	for i, a := range w.asked {
		if err := a.Try(t.Context()); i > 0 {
			a.Answered(err)
		}
	}
	if got := w.offsets(w.Ahead()); got != "a0 b7" {
		t.Errorf("offsets %s, want those behind what is ready", got)
	}
	w.process()
	w.expect("b5 b6")
	w.Committed()
	w.asked[0].Answered(nil)
	w.process()
	w.expect("b5 b6 a0 a1")
}
