package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// The result of MapValuesAsync is that of TryMapValues: only the calls are made ahead, and many at once.
func ExampleStream_MapValuesAsync() {
	price := func(_ context.Context, _ string, article string) (string, error) { // asks another system
		return article + " costs " + fmt.Sprint(len(article)), nil
	}
	b := topology.NewBuilder()
	kstream.From(b, words).
		MapValuesAsync(price, kstream.Async{Parallel: 8, Timeout: time.Second, Retries: 2}).
		To(out)
	play(b, out, "a=book", "b=pen", "a")
	// Output:
	// a=book costs 4
	// b=pen costs 3
	// a
}

func async(t *testing.T, add func(s kstream.Stream[string, string]), opts ...kstest.Option) ends {
	b := topology.NewBuilder()
	add(kstream.From(b, joinLeft))
	d := kstest.New(t, topology.Must(b.Build()), opts...)
	return ends{Driver: d, l: d.Input(joinLeft), out: d.Output(joinOut)}
}

func skip(*topology.RecordError) topology.Action { return topology.Skip() }

func TestACallIsTriedAgainAndThenThePolicyIsAsked(t *testing.T) {
	attempts := map[string]int{}
	e := async(t, func(s kstream.Stream[string, string]) {
		s.MapValuesAsync(func(_ context.Context, _ string, v string) (string, error) {
			attempts[v]++
			switch {
			case v == "never", v == "second" && attempts[v] < 2:
				return "", errors.New("not now")
			case v == "panic":
				panic("no")
			}
			return v + "!", nil
		}, kstream.Async{Retries: 2}).As("ask").To(joinOut)
	}, kstest.OnError(skip))
	for _, v := range []string{"first", "second", "never", "panic", "last"} {
		e.l.Send("k", v)
	}
	e.expect(t, "k=first!@0 k=second!@0 k=last!@0")
	if attempts["first"] != 1 || attempts["second"] != 2 || attempts["never"] != 3 || attempts["panic"] != 3 {
		t.Errorf("attempts %v", attempts)
	}
	errs := e.Errors()
	if len(errs) != 2 || errs[0].Node != "ask" || errs[0].Offset != 2 || !strings.Contains(errs[0].Error(), "not now (attempt 3)") {
		t.Errorf("errors %v", errs)
	}
	if p := (*topology.PanicError)(nil); len(errs) == 2 && !errors.As(errs[1].Err, &p) {
		t.Errorf("error %v, want a panic", errs[1])
	}
}

func TestARecordWhoseCallFailedIsCalledForAgainAfterRetry(t *testing.T) {
	calls := 0
	e := async(t, func(s kstream.Stream[string, string]) {
		s.MapValuesAsync(func(_ context.Context, _ string, v string) (string, error) {
			if calls++; calls < 3 {
				return "", errors.New("not now")
			}
			return fmt.Sprint(v, calls), nil
		}, kstream.Async{}).To(joinOut)
	}, kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Retry(time.Second) }))
	e.l.Send("k", "v")
	e.expect(t, "")
	e.Advance(999 * ms)
	if calls != 1 {
		t.Errorf("%d calls before the time has come, want 1", calls)
	}
	e.Advance(ms)
	e.Advance(time.Second)
	e.expect(t, "k=v3@0")
}

func TestEveryPieceOfARecordGetsTheAnswerToItsOwnCall(t *testing.T) {
	var seen []string
	e := async(t, func(s kstream.Stream[string, string]) {
		peeked := s.Peek(func(_, v string) { seen = append(seen, v) }).FlatMapValues(strings.Fields)
		cases := peeked.Split()
		double := func(_ context.Context, _, v string) (string, error) { return v + v, nil }
		cases.Case(func(_, v string) bool { return v > "m" }).MapValues(strings.ToUpper).To(joinOut)
		rest := cases.Default()
		rest.MapValuesAsync(double, kstream.Async{Parallel: 1}).
			MapValuesAsync(func(_ context.Context, _, v string) (string, error) { return "<" + v + ">", nil }, kstream.Async{}).
			Merge(rest.Filter(func(_, v string) bool { return v == "a" }).MapValuesAsync(double, kstream.Async{})).
			To(joinOut)
	})
	e.l.Send("k", "a z b a")
	e.l.Send("k", "")
	e.l.Delete("k")
	e.expect(t, "k=<aa>@0 k=aa@0 k=Z@0 k=<bb>@0 k=<aa>@0 k=aa@0 k=@0 k=@0 k=@0")
	if len(seen) != 2 {
		t.Errorf("Peek was called with %q, want each record once", seen)
	}
}

func TestCallsAreMadeAgainForWhatACrashTookBack(t *testing.T) {
	calls := 0
	e := async(t, func(s kstream.Stream[string, string]) {
		s.MapValuesAsync(func(_ context.Context, _, v string) (string, error) {
			calls++
			return v, nil
		}, kstream.Async{}).ToTable("t").Then(kstream.FromTable).To(joinOut)
	}, kstest.ManualCommit())
	e.l.Send("k", "a")
	e.Commit()
	e.l.Send("k", "b")
	e.Crash()
	e.Commit()
	e.expect(t, "k=a@0 k=b@0")
	if calls != 3 {
		t.Errorf("%d calls, want one for the first record and two for the second", calls)
	}
}

func TestWhatCannotBeDecodedFailsWhenItsTurnComes(t *testing.T) {
	b := topology.NewBuilder()
	in := topology.NewTopic("l", serde.String, serde.Int64)
	kstream.From(b, in).MapValuesAsync(func(_ context.Context, _ string, v int64) (string, error) { return fmt.Sprint(v), nil }, kstream.Async{}).To(joinOut)
	d := kstest.New(t, topology.Must(b.Build()), kstest.OnError(skip))
	d.Input(in).SendBytes([]byte("k"), []byte("x"))
	d.Input(in).Send("k", 7)
	ends{Driver: d, out: d.Output(joinOut)}.expect(t, "k=7@0")
	if n := len(d.Errors()); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}

func TestStepsBeforeACallThatDoNotRepeatThemselvesAreAnError(t *testing.T) {
	n := 0
	e := async(t, func(s kstream.Stream[string, string]) {
		s.Filter(func(string, string) bool { n++; return n%2 == 0 }).
			MapValuesAsync(func(_ context.Context, _, v string) (string, error) { return v, nil }, kstream.Async{}).To(joinOut)
	}, kstest.OnError(skip))
	e.l.Send("k", "v")
	if errs := e.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "must give the same each time they run") {
		t.Errorf("errors %v", errs)
	}
}

func TestCallsAreCheckedWhenBuilt(t *testing.T) {
	id := func(_ context.Context, _, v string) (string, error) { return v, nil }
	for _, c := range []struct {
		want string
		add  func(s kstream.Stream[string, string])
	}{
		{"a call may take 15m0.3s with its retries and the time between them: want at most 10m0s", func(s kstream.Stream[string, string]) {
			s.MapValuesAsync(id, kstream.Async{Timeout: 5 * time.Minute, Retries: 2})
		}},
		{"want at most 10m0s", func(s kstream.Stream[string, string]) { s.MapValuesAsync(id, kstream.Async{Retries: 1 << 40}) }},
		{"Async.Parallel is -1", func(s kstream.Stream[string, string]) { s.MapValuesAsync(id, kstream.Async{Parallel: -1}) }},
		{"Retries -1", func(s kstream.Stream[string, string]) { s.MapValuesAsync(id, kstream.Async{Retries: -1}) }},
		{"the function is nil", func(s kstream.Stream[string, string]) { s.MapValuesAsync[string](nil, kstream.Async{}) }},
		{"may not run ahead of its turn: call Repartition", func(s kstream.Stream[string, string]) {
			s.ToTable("t").Then(kstream.FromTable).Filter(func(string, string) bool { return true }).MapValuesAsync(id, kstream.Async{})
		}},
		{`ProcessValues("p")`, func(s kstream.Stream[string, string]) {
			s.ProcessValues("p", func(_ *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
				return func(_ context.Context, r topology.Record[string, string]) error { out.Send(r.Value); return nil }
			}).MapValuesAsync(id, kstream.Async{})
		}},
	} {
		b := topology.NewBuilder()
		c.add(kstream.From(b, joinLeft))
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Build returned %v, want %q", err, c.want)
		}
	}
}
