package kstream_test

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

var (
	ordersPlaced = topology.NewTopic("orders-placed", serde.String, serde.String)
	payments     = topology.NewTopic("payments", serde.String, serde.Int64)
	matches      = topology.NewTopic("matches", serde.String, serde.String)
)

func at(second int64) time.Time { return time.Unix(second, 0) }

// Each pair is sent once, when its second record comes, with the later time of the two.
func ExampleStream_JoinStream() {
	b := topology.NewBuilder()
	kstream.From(b, ordersPlaced).
		JoinStream("paid", kstream.From(b, payments), window.Within(time.Minute), func(order string, cents int64) string {
			return fmt.Sprint(order, " ", cents)
		}).
		To(matches)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	orders, paid, out := d.Input(ordersPlaced), d.Input(payments), d.Output(matches)
	orders.SendAt(at(10), "a", "book")
	paid.SendAt(at(40), "a", 700)
	orders.SendAt(at(50), "a", "pen")
	paid.SendAt(at(90), "b", 100)
	paid.SendAt(at(100), "a", 30) // 90 seconds after the book
	for _, r := range out.Rest() {
		fmt.Println(r.Time.Unix(), r.Key, r.Value)
	}
	// Output:
	// 40 a book 700
	// 50 a pen 700
	// 100 a pen 30
}

// What JoinStream sends, and the records of the left that meet none: all records of the left, each at least once.
func ExampleStream_LeftJoinStream() {
	b := topology.NewBuilder()
	kstream.From(b, ordersPlaced).
		LeftJoinStream("paid", kstream.From(b, payments), window.Within(time.Minute), func(order string, cents int64, ok bool) string {
			return fmt.Sprint(order, " ", cents, " ", ok)
		}).
		To(matches)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	orders, paid, out := d.Input(ordersPlaced), d.Input(payments), d.Output(matches)
	orders.SendAt(at(10), "a", "book")
	orders.SendAt(at(20), "b", "pen")
	paid.SendAt(at(30), "a", 700)
	d.Advance(time.Second) // records without a partner are looked for once a second
	paid.SendAt(at(200), "c", 1)
	for _, r := range out.Rest() {
		fmt.Println(r.Time.Unix(), r.Key, r.Value)
	}
	// Output:
	// 30 a book 700 true
	// 20 b pen 0 false
}

func ExampleStream_OuterJoinStream() {
	b := topology.NewBuilder()
	kstream.From(b, ordersPlaced).
		OuterJoinStream("paid", kstream.From(b, payments), window.Within(time.Minute).Grace(time.Minute).EmitEvery(0),
			func(order string, ordered bool, cents int64, paid bool) string {
				return fmt.Sprint(order, " ", ordered, " ", cents, " ", paid)
			}).
		To(matches)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	orders, paid, out := d.Input(ordersPlaced), d.Input(payments), d.Output(matches)
	orders.SendAt(at(10), "a", "book")
	paid.SendAt(at(15), "b", 700)
	paid.SendAt(at(125), "c", 1) // the window of the first record has closed, its grace is not over
	orders.SendAt(at(40), "b", "pen")
	paid.SendAt(at(131), "c", 1)
	for _, r := range out.Rest() {
		fmt.Println(r.Time.Unix(), r.Key, r.Value)
	}
	// Output:
	// 40 b pen true 700 true
	// 10 a book true 0 false
}

// JoinSelf is JoinStream of a stream with itself, with half the writes.
func ExampleStream_JoinSelf() {
	b := topology.NewBuilder()
	orders := kstream.From(b, ordersPlaced)
	within := window.Within(time.Minute)
	both := func(a, b string) string { return a + "+" + b }
	orders.JoinSelf("near", within, both).To(matches)
	orders.JoinStream("twice", orders, within, both).To(matches.Named("matches-twice"))
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(ordersPlaced)
	in.SendAt(at(10), "a", "book")
	in.SendAt(at(60), "a", "pen")
	in.SendAt(at(100), "a", "ink")
	once, twice := d.Output(matches), d.Output(matches.Named("matches-twice"))
	for _, r := range once.Rest() {
		fmt.Println(r.Value, r.Value == twice.Next().Value)
	}
	// Output:
	// book+book true
	// pen+book true
	// book+pen true
	// pen+pen true
	// ink+pen true
	// pen+ink true
	// ink+ink true
}
