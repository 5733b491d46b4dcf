package kstream_test

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var (
	phrases = topology.NewTopic("phrases", serde.String, serde.String)
	shorts  = phrases.Named("shorts")
	longs   = phrases.Named("longs")
)

// A processor may send to one of its next steps alone. What is sent to all comes to each.
func ExampleStream_Process_named() {
	b := topology.NewBuilder()
	routed := kstream.From(b, phrases).Process("route", func(_ *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		short, long := out.To("short"), out.To("long")
		return func(_ context.Context, r topology.Record[string, string]) error {
			switch {
			case !r.HasValue():
				out.SendRecord(r)
			case len(r.Value) > 3:
				long.SendRecord(r)
			default:
				short.SendRecord(r)
			}
			return nil
		}
	})
	routed.Filter(func(string, string) bool { return true }).As("short").To(shorts)
	routed.Filter(func(string, string) bool { return true }).As("long").To(longs)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(phrases).Send("a", "no")
	d.Input(phrases).Send("b", "maybe")
	d.Input(phrases).Delete("c")
	fmt.Println(len(d.Output(shorts).Rest()), len(d.Output(longs).Rest()))
	// Output: 2 2
}

// Timers may begin at a given moment: here on full seconds, whenever the task was made.
func ExampleStream_Process_anchored() {
	b := topology.NewBuilder()
	kstream.From(b, phrases).Process("tick", func(t *topology.Task, _ topology.Out[string, string]) topology.Handler[string, string] {
		t.EveryStreamFrom(time.UnixMilli(5000), 2*time.Second, func(now time.Time) error {
			fmt.Println("stream", now.UnixMilli())
			return nil
		})
		t.EveryWallFrom(time.UnixMilli(1000), time.Second, func(now time.Time) error {
			fmt.Println("wall", now.UnixMilli())
			return nil
		})
		return func(context.Context, topology.Record[string, string]) error { return nil }
	})

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.StartingAt(time.UnixMilli(1500)))
	for _, ms := range []int64{4999, 5000, 6999, 7100} {
		d.Input(phrases).SendAt(time.UnixMilli(ms), "k", "v")
	}
	d.Advance(499 * time.Millisecond)
	d.Advance(time.Millisecond)
	// Output:
	// stream 5000
	// stream 7100
	// wall 2000
}

// A store tells rows from a key on and up to a key; both bounds are included. What is put may have a time of its own.
func ExampleStream_Process_ranges() {
	spec := store.NewKeyValue("kept", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, phrases).Process("keep", func(t *topology.Task, _ topology.Out[string, string]) topology.Handler[string, string] {
		kept := t.KeyValue(spec)
		return func(_ context.Context, r topology.Record[string, string]) error {
			kept.PutAt(r.Key, r.Value, r.Time.Add(-time.Second))
			return nil
		}
	}, spec)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	for _, k := range []string{"a", "b", "c"} {
		d.Input(phrases).SendAt(time.UnixMilli(9000), k, k+k)
	}
	kept := d.Store(spec)
	row, _ := kept.GetRow("b")
	fmt.Println(maps.Collect(kept.From("b")), maps.Collect(kept.UpTo("b")), row.Time.UnixMilli())
	// Output: map[b:bb c:cc] map[a:aa b:bb] 8000
}

// A processor of values may send them with a time of their own.
func ExampleStream_ProcessValues_later() {
	b := topology.NewBuilder()
	kstream.From(b, phrases).ProcessValues("twice", func(_ *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
		return func(_ context.Context, r topology.Record[string, string]) error {
			out.Send(r.Value)
			out.SendAt(r.Time.Add(time.Millisecond), r.Value+" again")
			return nil
		}
	}).To(longs)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(phrases).SendAt(time.UnixMilli(10), "k", "v")
	for _, r := range d.Output(longs).Rest() {
		fmt.Println(r.Key, r.Value, r.Time.UnixMilli())
	}
	// Output:
	// k v 10
	// k v again 11
}

// Law: the records of all batches, in order, are the records of the stream.
func ExampleStream_ProcessBatch() {
	b := topology.NewBuilder()
	ids := topology.NewTopic("ids", serde.String, serde.String)
	names := topology.NewTopic("names", serde.String, serde.String)
	// Two look-ups at once instead of one after the other.
	lookUp := func(ids []string) map[string]string {
		fmt.Println("looked up", ids)
		return map[string]string{"1": "Ada", "2": "Bo", "3": "Cleo"}
	}
	kstream.From(b, ids).ProcessBatch("names", 2, func(_ *topology.Task, out topology.Out[string, string]) topology.BatchHandler[string, string] {
		return func(_ context.Context, batch []topology.Record[string, string]) error {
			var wanted []string
			for _, r := range batch {
				wanted = append(wanted, r.Value)
			}
			found := lookUp(wanted)
			for _, r := range batch {
				r.Value = found[r.Value]
				out.SendRecord(r)
			}
			return nil
		}
	}).To(names)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.ManualCommit())
	defer d.Close()
	for _, id := range []string{"1", "2", "3"} {
		d.Input(ids).Send("k", id)
	}
	d.Commit()
	for _, r := range d.Output(names).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// looked up [1 2]
	// looked up [3]
	// Ada
	// Bo
	// Cleo
}
