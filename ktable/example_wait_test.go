package ktable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// timed sends records to the topic l, each at its second, and prints what comes out.
func timed(b *topology.Builder, records ...[3]any) {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(lefts)
	for _, r := range records {
		in.SendAt(time.Unix(int64(r[0].(int)), 0), r[1].(string), r[2].(string))
	}
	for _, r := range d.Output(out).Rest() {
		if r.HasValue() {
			fmt.Printf("%v=%v\n", r.Key, r.Value)
		} else {
			fmt.Printf("%v\n", r.Key)
		}
	}
}

// Of the changes of a row within ten seconds the last is sent.
func ExampleTable_Suppress() {
	b := topology.NewBuilder()
	ktable.From(b, lefts, "stock").Suppress("calm", 10*time.Second).To(out)

	timed(b, [3]any{0, "pear", "1"}, [3]any{4, "pear", "2"}, [3]any{8, "fig", "9"}, [3]any{12, "pear", "3"})
	// Output:
	// pear=3
}

// When more than one row waits, the one that waits longest is sent.
func ExampleEmitEarly() {
	b := topology.NewBuilder()
	ktable.From(b, lefts, "stock").Suppress("calm", time.Hour, ktable.EmitEarly(1)).To(out)

	timed(b, [3]any{0, "pear", "1"}, [3]any{1, "pear", "2"}, [3]any{2, "fig", "9"})
	// Output:
	// pear=2
}

// A row and what stands beside it have some 33 bytes here: two are too many for 60.
func ExampleEmitEarlyBytes() {
	b := topology.NewBuilder()
	ktable.From(b, lefts, "stock").Suppress("calm", time.Hour, ktable.EmitEarlyBytes(60)).To(out)

	timed(b, [3]any{0, "pear", "1"}, [3]any{1, "fig", "9"})
	// Output:
	// pear=1
}

// A buffer that must not grow stops the app instead.
func ExampleFailBeyond() {
	b := topology.NewBuilder()
	ktable.From(b, lefts, "stock").
		Suppress("calm", time.Hour, ktable.FailBeyond(1), ktable.FailBeyondBytes(1<<20), ktable.BufferStore(store.InMemory())).To(out)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Fail() }))
	d.Input(lefts).Send("pear", "1")
	d.Input(lefts).Send("fig", "9")
	var failed *topology.RecordError
	if errors.As(d.Stopped(), &failed) {
		fmt.Println(failed.Err)
	}
	// Output:
	// Suppress("calm") holds 2 changes of 67 bytes, more than 1 changes or 1048576 bytes: raise the limit, or send early with EmitEarly
}

// One final result per window, whatever came late within the grace.
func ExampleTable_SuppressUntil() {
	b := topology.NewBuilder()
	kstream.From(b, lefts).GroupByKey().
		WindowedBy(window.Tumbling(10*time.Second).Grace(5*time.Second)).
		Count("counts").
		SuppressUntil("final", window.Closed).
		Then(kstream.FromTable).
		Map(func(k window.Key[string], n int64) (string, string) { return k.Key, fmt.Sprint(n) }).
		To(out)

	timed(b, [3]any{1, "pear", ""}, [3]any{11, "pear", ""}, [3]any{2, "pear", ""}, [3]any{15, "fig", ""})
	// Output:
	// pear=2
}

// A processor looks up what a row was.
func ExampleVersionedStore() {
	b := topology.NewBuilder()
	stock := ktable.From(b, lefts, "stock", store.History(time.Hour))
	versions := ktable.VersionedStore(stock)
	stock.Then(kstream.FromTable).Process("was", func(t *topology.Task, to topology.Out[string, string]) topology.Handler[string, string] {
		rows := t.Versioned(versions)
		return func(_ context.Context, r topology.Record[string, string]) error {
			if was, ok := rows.GetAsOf(r.Key, r.Time.Add(-time.Minute)); ok {
				to.Send(r.Key, was.Value)
			}
			return nil
		}
	}, versions).To(out)

	timed(b, [3]any{0, "pear", "1"}, [3]any{90, "pear", "2"}, [3]any{30, "pear", "3"}, [3]any{100, "pear", "4"})
	// Output:
	// pear=1
	// pear=3
}
