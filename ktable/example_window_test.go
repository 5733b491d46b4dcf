package ktable_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// at sends records to topics and prints what comes out of the topic out, which show writes. A record is written
// "seconds key value", to another topic than words "seconds key value topic".
func at(b *topology.Builder, records ...string) {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	for _, s := range records {
		var sec int64
		key, value, topic := "", "", "words"
		_, _ = fmt.Sscan(s, &sec, &key, &value, &topic)
		d.Input(words.Named(topic)).SendAt(time.Unix(sec, 0), key, value)
	}
	for _, r := range d.Output(out).Rest() {
		if r.HasValue() {
			fmt.Println(r.Key, r.Value)
		} else {
			fmt.Println(r.Key, "deleted")
		}
	}
}

// show writes the changes of a windowed table to the topic out, windows as seconds.
func show[V any](t ktable.Table[window.Key[string], V]) {
	t.Then(kstream.FromTable).MapRecord(func(r topology.Record[window.Key[string], V]) topology.Record[string, string] {
		to := r.WithKey(fmt.Sprintf("%s %d-%d", r.Key.Key, r.Key.Start().Unix(), r.Key.End().Unix())).WithValue(fmt.Sprint(r.Value))
		if !r.HasValue() {
			to = to.WithoutValue()
		}
		return to
	}).To(out)
}

func ExampleGrouped_WindowedBy() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Hopping(time.Minute, 30*time.Second)).
		Count("per-minute"))

	at(b, "10 a x", "40 a x")
	// Output:
	// a 0-60 1
	// a 0-60 2
	// a 30-90 1
}

// A window takes late records until its grace is over; then it is closed for all keys.
func ExampleWindowed_Count() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute).Grace(10 * time.Second)).
		Count("per-minute"))

	at(b, "10 a x", "65 b x", "50 a late", "70 b x", "50 a later")
	// Output:
	// a 0-60 1
	// b 60-120 1
	// a 0-60 2
	// b 60-120 2
}

// Sliding windows hold the records that are at most a difference apart.
func ExampleWindowed_Reduce() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Sliding(10*time.Second)).
		Reduce("close-by", func(old, v string) string { return old + v }))

	at(b, "20 a x", "25 a y", "40 a z")
	// Output:
	// a 10-20 x
	// a 20-30 y
	// a 15-25 xy
	// a 30-40 z
}

// An unlimited window is a table by key that begins at a time: aggregating in it is aggregating from then on.
func ExampleWindowed_Aggregate() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().
		WindowedBy(window.Unlimited(time.Unix(60, 0))).
		Aggregate("since", serde.Int64, nil, func(_, v string, sum int64) int64 { return sum + int64(len(v)) }).
		Then(kstream.FromTable).
		Map(func(k window.Key[string], sum int64) (string, string) { return k.Key, fmt.Sprint(sum) }).
		To(out)

	at(b, "59 a before", "60 a five5", "7000 a six666")
	// Output:
	// a 5
	// a 11
}

// With EmitOnClose there is one result per window, the last update that Count would have sent.
func ExampleWindowed_EmitOnClose() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute)).
		EmitOnClose().
		Count("final"))

	at(b, "10 a x", "20 a x", "30 b x", "59 a x", "3600 b x") // the last record closes the first minute
	// Output:
	// a 0-60 3
	// b 0-60 1
}

func ExampleEmitEvery() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute)).
		EmitOnClose(ktable.EmitEvery(time.Hour)).
		Count("final"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.StartingAt(time.Unix(7200, 0)))
	in := d.Input(words)
	in.SendAt(time.Unix(10, 0), "a", "x")
	in.SendAt(time.Unix(60, 0), "a", "x") // closes the first minute, but it was looked just now
	fmt.Println(len(d.Output(out).Rest()))
	d.Advance(time.Hour)
	in.SendAt(time.Unix(61, 0), "a", "x")
	fmt.Println(len(d.Output(out).Rest()))
	// Output:
	// 0
	// 1
}

// A jump of event time beyond the retention of the store: Kafka Streams loses what it has not sent.
func ExampleEmitRetained() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute)).
		EmitOnClose(ktable.EmitRetained()).
		Count("final", store.NoCache()))

	at(b, "10 a x", "70 a x", "7000 a x") // the second minute has expired when it could be sent
	// Output:
	// a 0-60 1
}

// Late records are counted as dropped, and go to a topic: sent there and kept are all that came.
func ExampleWindowed_LateTo() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute)).
		LateTo(out).
		Count("per-minute")

	at(b, "10 a x", "70 b x", "20 a late")
	// Output: a late
}

func ExampleGrouped_WindowedBySession() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10 * time.Second)).
		Count("visits"))

	at(b, "10 a x", "15 a x", "40 a x")
	// Output:
	// a 10-10 1
	// a 10-10 deleted
	// a 10-15 2
	// a 40-40 1
}

func ExampleSessionWindowed_Count() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10 * time.Second).Grace(time.Minute)).
		EmitOnClose().
		Count("visits"))

	at(b, "10 a x", "30 a x", "20 a between", "200 b x") // one visit
	// Output: a 10-30 3
}

func ExampleSessionWindowed_Reduce() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10*time.Second)).
		EmitOnClose().
		Reduce("longest", func(old, v string) string {
			if len(v) > len(old) {
				return v
			}
			return old
		}))

	at(b, "10 a go", "15 a streams", "20 a now", "100 a x")
	// Output: a 10-20 streams
}

// Merging sessions and adding records must come to the same, in whatever order they meet.
func ExampleSessionWindowed_Aggregate() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10*time.Second).Grace(time.Minute)).
		EmitOnClose().
		Aggregate("letters", serde.Int64, nil,
			func(_, v string, n int64) int64 { return n + int64(len(v)) },
			func(_ string, a, b int64) int64 { return a + b }))

	at(b, "10 a one", "30 a three", "20 a two", "10 b one", "20 b two", "30 b three", "200 c x")
	// Output:
	// a 10-30 11
	// b 10-30 11
}

func ExampleSessionWindowed_EmitOnClose() {
	b := topology.NewBuilder()
	show(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10 * time.Second)).
		EmitOnClose().
		Count("visits"))

	at(b, "10 a x", "20 b x", "31 c x") // more than the gap has passed since both ends
	// Output:
	// a 10-10 1
	// b 20-20 1
}

func ExampleSessionWindowed_LateTo() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(10 * time.Second)).
		LateTo(out).
		Count("visits")

	at(b, "100 a x", "95 b early", "10 c late")
	// Output: c late
}

// clicks and sales of a shop, told by their letters.
func shop(b *topology.Builder) ktable.Cogrouped[string, string] {
	mark := func(side string) func(_, v, a string) string {
		return func(_, v, a string) string { return strings.TrimSpace(a + " " + side + ":" + v) }
	}
	return kstream.From(b, words).GroupByKey().Cogroup(mark("click")).
		And(kstream.From(b, words.Named("sales")).GroupByKey(), mark("sale"))
}

func ExampleGrouped_Cogroup() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().
		Cogroup(func(_, v string, n int64) int64 { return n + int64(len(v)) }).
		Aggregate("letters", nil, nil).
		Then(kstream.FromTable).MapValues(func(n int64) string { return fmt.Sprint(n) }).
		To(out)

	at(b, "10 a one", "20 a two") // with one stream it is Aggregate
	// Output:
	// a 3
	// a 6
}

func ExampleCogrouped_And() {
	b := topology.NewBuilder()
	shop(b).Aggregate("shop", nil, nil).To(out)

	at(b, "10 ann tea", "20 ann 3.50 sales")
	// Output:
	// ann click:tea
	// ann click:tea sale:3.50
}

func ExampleCogrouped_Aggregate() {
	b := topology.NewBuilder()
	shop(b).Aggregate("shop", serde.String, func() string { return "shop" }).To(out)

	at(b, "10 ann tea", "20 bob 3.50 sales")
	// Output:
	// ann shop click:tea
	// bob shop sale:3.50
}

func ExampleCogrouped_WindowedBy() {
	b := topology.NewBuilder()
	show(shop(b).WindowedBy(window.Tumbling(time.Minute)).Aggregate("shop", nil, nil))

	at(b, "10 ann tea", "20 ann 3.50 sales", "70 ann 2 sales")
	// Output:
	// ann 0-60 click:tea
	// ann 0-60 click:tea sale:3.50
	// ann 60-120 sale:2
}

func ExampleCogrouped_WindowedBySession() {
	b := topology.NewBuilder()
	join := func(_, a, b string) string { return strings.TrimSpace(a + " " + b) }
	show(shop(b).WindowedBySession(window.Session(time.Minute), join).Aggregate("visits", nil, nil))

	at(b, "10 ann tea", "20 ann 3.50 sales")
	// Output:
	// ann 10-10 click:tea
	// ann 10-10 deleted
	// ann 10-20 click:tea sale:3.50
}

func ExampleWindowedCogrouped_Aggregate() {
	b := topology.NewBuilder()
	show(shop(b).WindowedBy(window.Sliding(time.Minute)).Aggregate("shop", nil, nil))

	at(b, "100 ann tea", "120 ann 3.50 sales")
	// Output:
	// ann 40-100 click:tea
	// ann 100-160 sale:3.50
	// ann 60-120 click:tea sale:3.50
}

// Windows close by the time of all streams together.
func ExampleWindowedCogrouped_EmitOnClose() {
	b := topology.NewBuilder()
	show(shop(b).WindowedBy(window.Tumbling(time.Minute)).EmitOnClose().Aggregate("shop", nil, nil))

	at(b, "10 ann tea", "20 ann 3.50 sales", "70 bob 2 sales")
	// Output: ann 0-60 click:tea sale:3.50
}

func ExampleWindowStore() {
	b := topology.NewBuilder()
	minutes := ktable.WindowStore(kstream.From(b, words).GroupByKey().
		WindowedBy(window.Tumbling(time.Minute)).
		Count("per-minute", store.Retention(time.Hour)))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).SendAt(time.Unix(70, 0), "a", "x")
	for span, n := range d.Windows(minutes).Fetch("a", time.Unix(0, 0), time.Unix(100, 0)) {
		fmt.Println(span.Start().Unix(), n)
	}
	// Output: 60 1
}

func ExampleSessionStore() {
	b := topology.NewBuilder()
	visits := ktable.SessionStore(kstream.From(b, words).GroupByKey().
		WindowedBySession(window.Session(time.Minute)).
		Count("visits"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(words)
	in.SendAt(time.Unix(70, 0), "a", "x")
	in.SendAt(time.Unix(90, 0), "a", "x")
	for span, n := range d.Sessions(visits).Fetch("a") {
		fmt.Println(span.Start().Unix(), span.End().Unix(), n)
	}
	// Output: 70 90 2
}
