package kstream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
)

type (
	texts   = topology.Record[string, string]
	toText  = topology.Out[string, string]
	handler = topology.Handler[string, string]
)

func process(t *testing.T, setup func(*topology.Task, toText) handler) *wiretest.Run {
	t.Helper()
	return wire(t, func(s kstream.Stream[string, string]) {
		s.Process("p", setup).To(out)
	})
}

func TestWhatIsSentStartsFromTheRecordInHand(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.Process("p", func(_ *topology.Task, out toText) handler {
			return func(_ context.Context, r texts) error {
				out.Send("a", "1")
				out.SendRecord(r.WithKey("b"))
				out.SendRecord(texts{Key: "c", Time: time.UnixMilli(7)})
				out.SendRecord(texts{Key: "d"}.WithoutValue())
				return nil
			}
		}).MapRecord(later).To(out)
	})
	feed(t, r, "k", "v")
	expect(t, r, "out:other=1@200,h=x,n=1 out:other=v@200,h=x,n=1 out:other=@200,n=1 out:other=@200,n=1")
}

func TestATimerSendsWithItsOwnTime(t *testing.T) {
	r := process(t, func(task *topology.Task, out toText) handler {
		task.EveryWall(time.Second, func(now time.Time) error {
			_, ok := task.Source()
			out.Send("tick", map[bool]string{true: "record in hand", false: "none"}[ok])
			out.SendRecord(texts{Key: "at", Value: now.UTC().Format(time.TimeOnly)})
			return nil
		})
		return func(context.Context, texts) error { return nil }
	})
	feed(t, r, "k", "v")
	if f := r.Fire(5000); f != nil {
		t.Fatal(f.Err)
	}
	expect(t, r, "out:tick=none@5000 out:at=00:00:05@5000")
}

func TestAStoppedTimerIsSilent(t *testing.T) {
	r := process(t, func(task *topology.Task, out toText) handler {
		var timer *topology.Timer
		timer = task.EveryStream(time.Second, func(time.Time) error {
			out.Send("tick", "")
			timer.Stop()
			timer.Stop()
			return nil
		})
		return func(context.Context, texts) error { return nil }
	})
	r.Fire(1000)
	r.Fire(2000)
	expect(t, r, "out:tick=@1000")
}

func TestAValueProcessorCannotSendInATimer(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.ProcessValues("p", func(task *topology.Task, out topology.OutValue[string]) handler {
			task.EveryStream(time.Second, func(time.Time) error { out.Send("v"); return nil })
			return func(context.Context, texts) error { return nil }
		}).To(out)
	})
	feed(t, r, "k", "v")
	if f := r.Fire(1000); f == nil || f.Node != 1 || !strings.Contains(f.Err.Error(), "no key") {
		t.Errorf("%+v: want an error of the processor", f)
	}
}

func TestASetupMustNotSend(t *testing.T) {
	defer func() {
		if f, ok := recover().(record.Failure); !ok || !strings.Contains(f.Err.Error(), "setup must not send") {
			t.Errorf("%+v: want a failure that says why", f)
		}
	}()
	process(t, func(_ *topology.Task, out toText) handler { out.Send("k", "v"); return nil })
}

func TestASetupMustReturnAHandler(t *testing.T) {
	defer func() {
		if f, ok := recover().(record.Failure); !ok || !strings.Contains(f.Err.Error(), "nil Handler") {
			t.Errorf("%+v: want a failure that says why", f)
		}
	}()
	process(t, func(*topology.Task, toText) handler { return nil })
}

func TestATaskTellsWhereItIs(t *testing.T) {
	var seen []any
	r := process(t, func(task *topology.Task, _ toText) handler {
		if !task.StreamTime().IsZero() {
			t.Error("there is stream time before the first record")
		}
		return func(context.Context, texts) error {
			p, ok := task.Source()
			seen = append(seen, p.String(), ok, task.StreamTime().UnixMilli(), task.Now().UnixMilli(), task.ID().String())
			return nil
		}
	})
	r.Wall = 77
	r.Feed("words", record.In{Offset: 5, Time: 40})
	r.Feed("words", record.In{Offset: 6, Time: 30})
	want := []any{"words/0@5", true, int64(40), int64(77), "0_0", "words/0@6", true, int64(40), int64(77), "0_0"}
	for i := range want {
		if seen[i] != want[i] {
			t.Errorf("%d: %v, want %v", i, seen[i], want[i])
		}
	}
}

func TestProcessingAllocatesNothing(t *testing.T) {
	n := 0
	r := process(t, func(_ *topology.Task, out toText) handler {
		return func(_ context.Context, r texts) error {
			if n++; r.HasValue() {
				return nil
			}
			return nil
		}
	})
	f, in := r.Source("words"), &record.In{}
	if a := testing.AllocsPerRun(100, func() { f(r.Meta(), in) }); a != 0 || n == 0 {
		t.Errorf("%v allocations per record, want 0", a)
	}
}

func TestARecordBefore1970IsNotSent(t *testing.T) {
	r := process(t, func(_ *topology.Task, out toText) handler {
		return func(_ context.Context, r texts) error {
			r.Time = time.UnixMilli(-1)
			out.SendRecord(r)
			return nil
		}
	})
	if f := r.Feed("words", record.In{Value: []byte("v")}); f == nil || f.Node != 1 || len(r.Sent) > 0 {
		t.Errorf("%+v: want a failure of the processor", f)
	}
}

func TestSendingLeavesTheRecordInHandAsItWas(t *testing.T) {
	grow := func(r texts) texts {
		r.Time, r.Headers = r.Time.Add(time.Millisecond), r.Headers.With("n", nil)
		return r
	}
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.Process("keys", func(_ *topology.Task, out toText) handler {
			return func(_ context.Context, r texts) error {
				out.Send("a", "1")
				out.SendRecord(r.WithKey("b").WithoutValue())
				out.Send("c", "2")
				return nil
			}
		}).MapRecord(grow).To(out)
		s.ProcessValues("values", func(_ *topology.Task, out topology.OutValue[string]) handler {
			return func(context.Context, texts) error {
				out.SendDelete()
				out.Send("3")
				return nil
			}
		}).MapRecord(grow).To(out)
	})
	feed(t, r, "k", "v")
	expect(t, r, "out:a=1@101,h=x,n= out:b=@101,h=x,n= out:c=2@101,h=x,n= out:k=@101,h=x,n= out:k=3@101,h=x,n=")
}
