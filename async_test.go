package millrace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// asks sends each value through f.
func asks(f func(ctx context.Context, v string) (string, error), a kstream.Async) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, texts).
		MapValuesAsync(func(ctx context.Context, _ string, v string) (string, error) { return f(ctx, v) }, a).
		WithValueSerde(serde.String).
		To(texts.Named("out"))
	return topology.Must(b.Build())
}

func values(w *world, topic string, n int) string {
	var all []string
	for _, r := range w.read(topic, n) {
		all = append(all, string(r.Value))
	}
	return strings.Join(all, " ")
}

func TestManyCallsRunAtOnceAndTheirResultsComeInOrderUnderEveryGuarantee(t *testing.T) {
	for _, g := range []millrace.Guarantee{millrace.ExactlyOnce, millrace.AtLeastOnce, millrace.AtMostOnce} {
		t.Run(g.String(), func(t *testing.T) {
			w := newWorld(t, "in", "out")
			const n, parallel = 40, 4
			var running, most, begun atomic.Int32
			all := make(chan struct{}) // closed when as many run as may
			top := asks(func(ctx context.Context, v string) (string, error) {
				now := running.Add(1)
				defer running.Add(-1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				if begun.Add(1) == parallel {
					close(all)
				}
				select {
				case <-all:
					return v + "!", nil
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}, kstream.Async{Parallel: parallel})
			var want []string
			for i := range n {
				w.send(record("k", fmt.Sprint(i)))
				want = append(want, fmt.Sprint(i, "!"))
			}
			c := w.config()
			c.Guarantee = g
			_, end := w.run(top, c)
			if got := values(w, "out", n); got != strings.Join(want, " ") {
				t.Errorf("results %s, want %s", got, strings.Join(want, " "))
			}
			if err := end(); err != nil {
				t.Error(err)
			}
			if m := most.Load(); m != parallel {
				t.Errorf("%d calls at once, want %d", m, parallel)
			}
		})
	}
}

// What a call waits for holds no transaction open: others commit, and see their results.
func TestACallThatWaitsHoldsNothingOfOthersBack(t *testing.T) {
	w := newWorld(t, "in", "out")
	let := make(chan struct{})
	top := asks(func(ctx context.Context, v string) (string, error) {
		if v != "slow" {
			return v, nil
		}
		select {
		case <-let:
			return v, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}, kstream.Async{})
	slow, fast := record("k", "slow"), record("k", "fast")
	slow.Partition, fast.Partition = 0, 1
	cl := w.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := cl.ProduceSync(t.Context(), slow, fast).FirstErr(); err != nil {
		t.Fatal(err)
	}
	_, end := w.run(top, w.config())
	if got := values(w, "out", 1); got != "fast" {
		t.Errorf("%s came first", got)
	}
	close(let)
	if got := values(w, "out", 2); got != "fast slow" && got != "slow fast" {
		t.Errorf("results %s", got)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestAnAppStopsWhileCallsHangAndMakesThemAgainWhenItComesBack(t *testing.T) {
	w := newWorld(t, "in", "out")
	for i := range 5 {
		w.send(record("k", fmt.Sprint(i)))
	}
	c := w.config()
	began := make(chan struct{}, 5)
	_, end := w.run(asks(func(ctx context.Context, v string) (string, error) {
		if v == "0" {
			return v, nil
		}
		began <- struct{}{}
		<-ctx.Done()
		return "", ctx.Err()
	}, kstream.Async{}), c)
	if got := values(w, "out", 1); got != "0" {
		t.Errorf("%s came first", got)
	}
	for range 4 {
		<-began
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	_, end = w.run(asks(func(_ context.Context, v string) (string, error) { return v, nil }, kstream.Async{}), c)
	if got := values(w, "out", 5); got != "0 1 2 3 4" {
		t.Errorf("results %s, want each once", got)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestACallThatTakesTooLongIsTriedAgainAndThenFails(t *testing.T) {
	w := newWorld(t, "in", "out")
	var tries atomic.Int32
	top := asks(func(ctx context.Context, v string) (string, error) {
		tries.Add(1)
		<-ctx.Done()
		return "", ctx.Err()
	}, kstream.Async{Timeout: 20 * time.Millisecond, Retries: 2, Backoff: time.Millisecond})
	w.send(record("k", "v"))
	err := w.fails(top, w.config())
	var re *topology.RecordError
	if !errors.As(err, &re) || !errors.Is(err, context.DeadlineExceeded) || re.Offset != 0 {
		t.Fatalf("%v", err)
	}
	says(t, err, "in/", "attempt 3", "async_test.go:")
	if n := tries.Load(); n != 3 {
		t.Errorf("%d tries, want 3", n)
	}
}
