package topology_test

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// A processor that compares with what it saw in the last minute. What is older than the retention is gone by itself.
func ExampleTask_Window() {
	recent := store.NewWindow("recent", serde.String, serde.String, time.Second, time.Minute)
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("compare", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		rows := t.Window(recent)
		return func(_ context.Context, r topology.Record[string, string]) error {
			before := 0
			for range rows.Fetch(r.Key, r.Time.Add(-time.Minute), r.Time) {
				before++
			}
			rows.Put(r.Key, r.Time, r.Value)
			out.Send(r.Key, fmt.Sprintf("%s after %d others", r.Value, before))
			return nil
		}
	}, recent).To(lines.Named("out"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in, out := d.Input(lines), d.Output(lines.Named("out"))
	in.SendAt(time.Unix(100, 0), "k", "first")
	in.SendAt(time.Unix(130, 0), "k", "second")
	in.SendAt(time.Unix(170, 0), "k", "third")
	for range 3 {
		fmt.Println(out.Next().Value)
	}
	// Output:
	// first after 0 others
	// second after 1 others
	// third after 1 others
}

// A processor that joins each record to the session it comes near to: one that ended, or will begin, at most a minute away.
func ExampleTask_Session() {
	rule := window.Session(time.Minute)
	trips := store.NewSession("trips", serde.String, serde.String, time.Hour)
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("trips", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		rows := t.Session(trips)
		return func(_ context.Context, r topology.Record[string, string]) error {
			earliestEnd, latestStart := rule.Near(r.Time.UnixMilli())
			trip, places := window.Between(r.Time, r.Time), r.Value
			for s, v := range rows.Find(r.Key, time.UnixMilli(earliestEnd), time.UnixMilli(latestStart)) {
				rows.Delete(r.Key, s)
				trip, places = window.Between(s.Start(), r.Time), v+" "+places
			}
			rows.Put(r.Key, trip, places)
			out.Send(r.Key, places)
			return nil
		}
	}, trips).To(lines.Named("out"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in, out := d.Input(lines), d.Output(lines.Named("out"))
	in.SendAt(time.Unix(0, 0), "bus", "depot")
	in.SendAt(time.Unix(60, 0), "bus", "station") // exactly the gap away: still the same trip
	in.SendAt(time.Unix(200, 0), "bus", "harbour")
	for range 3 {
		fmt.Println(out.Next().Value)
	}
	// Output:
	// depot
	// depot station
	// harbour
}
