package kstream_test

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

var (
	orders = topology.NewTopic("orders", serde.String, serde.String)
	rates  = topology.NewTopic("rates", serde.String, serde.String)
	priced = topology.NewTopic("priced", serde.String, serde.String)
)

func sec(n int64) time.Time { return time.Unix(n, 0) }

func printRest[K, V any](o *kstest.Output[K, V]) {
	for _, r := range o.Rest() {
		if r.HasValue() {
			fmt.Printf("%v=%v\n", r.Key, r.Value)
		} else {
			fmt.Printf("%v\n", r.Key)
		}
	}
}

// Each order is joined with the rate of its own time, also one that came late: the order of arrival does not matter.
func ExampleBuffered() {
	b := topology.NewBuilder()
	rate := ktable.From(b, rates, "rate", store.History(time.Hour))
	kstream.From(b, orders).
		JoinTable(rate, func(order, rate string) string { return order + " at " + rate }, kstream.Buffered("priced", time.Minute)).
		To(priced)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in, rs := d.Input(orders), d.Input(rates)
	rs.SendAt(sec(0), "eur", "1.10")
	in.SendAt(sec(10), "eur", "pear")
	in.SendAt(sec(30), "eur", "fig")
	rs.SendAt(sec(20), "eur", "1.20") // late, but within the grace
	in.SendAt(sec(95), "eur", "plum") // a minute and more after the others
	printRest(d.Output(priced))
	// Output:
	// eur=pear at 1.10
	// eur=fig at 1.20
}

// What is sent twice goes on once: Distinct of a stream merged with itself is the stream.
func ExampleStream_Distinct() {
	b := topology.NewBuilder()
	s := kstream.From(b, orders)
	s.Merge(s).Distinct("seen", time.Hour, nil, func(_, order string) string { return order }).To(priced)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(orders)
	in.SendAt(sec(0), "eur", "pear")
	in.SendAt(sec(10), "eur", "fig")
	in.SendAt(sec(20), "usd", "pear")   // seen within the hour
	in.SendAt(sec(3600), "eur", "pear") // and not since
	d.Crash()
	in.SendAt(sec(3610), "eur", "pear")
	printRest(d.Output(priced))
	// Output:
	// eur=pear
	// eur=fig
	// eur=pear
}

// Of each window one result is sent, when it is closed.
func ExampleFromTable_suppressed() {
	b := topology.NewBuilder()
	perMinute := topology.NewTopic("per-minute", window.KeySerde(serde.String, time.Minute), serde.Int64)
	kstream.From(b, orders).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute).Grace(10*time.Second)).
		Count("counts").
		SuppressUntil("final", window.Closed).
		Then(kstream.FromTable).
		To(perMinute)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(orders)
	in.SendAt(sec(1), "eur", "pear")
	in.SendAt(sec(65), "eur", "fig")
	in.SendAt(sec(2), "eur", "plum") // late, within the grace
	d.Crash()                        // what waits is restored
	in.SendAt(sec(70), "eur", "kiwi")
	for _, r := range d.Output(perMinute).Rest() {
		fmt.Println(r.Key.Key, r.Key.Start().UTC().Format("15:04"), r.Value)
	}
	// Output:
	// eur 00:00 2
}
