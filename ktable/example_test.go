package ktable_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// play sends records to the topic words and prints what comes out of another topic. A record is written "key=value";
// "key" alone is a deletion.
func play[K, V any](b *topology.Builder, from topology.Topic[K, V], records ...string) {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(words)
	for _, s := range records {
		if k, v, ok := strings.Cut(s, "="); ok {
			in.Send(k, v)
		} else {
			in.Delete(k)
		}
	}
	for _, r := range d.Output(from).Rest() {
		if r.HasValue() {
			fmt.Printf("%v=%v\n", r.Key, r.Value)
		} else {
			fmt.Printf("%v\n", r.Key)
		}
	}
}

func ExampleFrom() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").To(out)

	play(b, out, "a=x", "a=y", "b", "a") // b was never there
	// Output:
	// a=x
	// a=y
	// a
}

func ExampleTable_Filter() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").Filter(func(_, v string) bool { return v != "hidden" }).To(out)

	play(b, out, "a=x", "b=hidden", "a=hidden") // a no longer passes, b never did
	// Output:
	// a=x
	// a
}

func ExampleTable_FilterNot() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").FilterNot(func(k, _ string) bool { return k == "test" }).To(out)

	play(b, out, "a=x", "test=y")
	// Output:
	// a=x
}

func ExampleTable_MapValues() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").MapValues(strings.ToUpper).To(out)

	play(b, out, "a=x", "a")
	// Output:
	// a=X
	// a
}

func ExampleTable_MapValuesWithKey() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").MapValuesWithKey(func(k, v string) string { return k + v }).To(out)

	play(b, out, "a=x")
	// Output:
	// a=ax
}

func ExampleTable_FilterMapValues() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").FilterMapValues(func(v string) (int64, bool) {
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}).To(tally)

	play(b, tally, "a=1", "b=two", "a=one")
	// Output:
	// a=1
	// a
}

func ExampleTable_TryMapValues() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest", store.NoCache()). // at a commit there would be no single record to skip
								OnError(func(e *topology.RecordError) topology.Action {
			fmt.Println(errors.Unwrap(e.Err))
			return topology.Skip()
		}).
		TryMapValues(strconv.Atoi).
		MapValues(func(n int) int64 { return int64(n) }).
		To(tally)

	play(b, tally, "a=1", "b=two")
	// Output:
	// invalid syntax
	// a=1
}

func ExampleTable_Materialize() {
	b := topology.NewBuilder()
	loud := ktable.From(b, words, "latest").MapValues(strings.ToUpper).WithValueSerde(serde.String).Materialize("loud")

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("a", "x")
	fmt.Println(d.Store(loud.Store()).Get("a"))
	// Output:
	// X true
}

func ExampleTable_To() {
	b := topology.NewBuilder()
	t := ktable.From(b, words, "latest")
	t.To(out)
	t.Then(kstream.FromTable).To(out.Named("same")) // another way to say it

	play(b, out.Named("same"), "a=x", "a")
	// Output:
	// a=x
	// a
}

func ExampleTable_Then() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").
		Then(kstream.FromTable).
		Filter(func(k, _ string) bool { return k != "a" }).
		To(out)

	play(b, out, "a=x", "b=y")
	// Output:
	// b=y
}

func ExampleTable_Store() {
	b := topology.NewBuilder()
	counts := kstream.From(b, words).GroupByKey().Count("counts")

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("a", "x")
	d.Input(words).Send("a", "y")
	d.Crash() // what was not committed is gone, the rest comes back
	fmt.Println(d.Store(counts.Store()).Get("a"))
	// Output:
	// 2 true
}

func ExampleTable_As() {
	b := topology.NewBuilder()
	t := ktable.From(b, words, "latest").Filter(func(_, v string) bool { return v != "" }).As("non-empty")
	t.To(out)

	fmt.Println(topology.Must(b.Build()))
	// Output:
	// Topologies:
	//    Sub-topology: 0
	//     Source: source-0 (topics: [words])
	//       --> latest
	//     Processor: latest (stores: [latest])
	//       --> non-empty
	//       <-- source-0
	//     Processor: non-empty (stores: [])
	//       --> sink-3
	//       <-- latest
	//     Sink: sink-3 (topic: out)
	//       <-- non-empty
}

func ExampleTable_OnError() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest", store.NoCache()). // at a commit there would be no single record to take away
								OnError(func(e *topology.RecordError) topology.Action { return topology.DeadLetter("out") }).
								MapValues(func(v string) string { return v[:3] }).
								To(words.Named("cut"))

	play(b, out, "a=long", "b=x") // the dead letter of b is the record as it came
	// Output:
	// b=x
}

func ExampleTable_WithValueSerde() {
	type length struct{ Runes int }

	b := topology.NewBuilder()
	ktable.From(b, words, "latest").
		MapValues(func(v string) length { return length{len([]rune(v))} }).
		WithValueSerde(serde.JSON[length]()). // a store writes bytes, and a length has no serde of its own
		Materialize("lengths").
		MapValues(func(l length) int64 { return int64(l.Runes) }).
		To(tally)

	play(b, tally, "a=xyz")
	// Output:
	// a=3
}

func ExampleTable_WithSerdes() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").
		MapValues(func(v string) []string { return strings.Fields(v) }).
		WithSerdes(serde.String, serde.List(serde.String)).
		Materialize("fields").
		MapValues(func(f []string) int64 { return int64(len(f)) }).
		To(tally)

	play(b, tally, "a=to be")
	// Output:
	// a=2
}

func ExampleGrouped_Count() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().Count("counts").To(tally)

	play(b, tally, "a=x", "b=y", "a=z")
	// Output:
	// a=1
	// b=1
	// a=2
}

func ExampleGrouped_Reduce() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().Reduce("longest", func(old, v string) string {
		if len(v) > len(old) {
			return v
		}
		return old
	}).To(out)

	play(b, out, "a=to", "a=be", "a=or not")
	// Output:
	// a=to
	// a=to
	// a=or not
}

func ExampleGrouped_Aggregate() {
	type mean struct{ Sum, N int64 }
	add := func(_, v string, m mean) mean { return mean{m.Sum + int64(len(v)), m.N + 1} }

	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().
		Aggregate("means", serde.JSON[mean](), nil, add). // nil: begin with the zero mean
		MapValues(func(m mean) int64 { return m.Sum / m.N }).
		To(tally)

	play(b, tally, "a=1234", "a=12")
	// Output:
	// a=4
	// a=3
}

func ExampleGrouped_WithKeySerde() {
	type city struct{ Name string }

	b := topology.NewBuilder()
	kstream.From(b, words).
		GroupBy("by-city", func(_, v string) city { return city{v} }).
		WithKeySerde(serde.JSON[city]()). // for the repartition topic and the store
		Count("per-city").
		Then(kstream.FromTable).
		Map(func(c city, n int64) (string, int64) { return c.Name, n }).
		To(tally)

	play(b, tally, "1=Paris", "2=Rome", "3=Paris")
	// Output:
	// Paris=1
	// Rome=1
	// Paris=2
}

func ExampleGrouped_WithSerdes() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		MapValues(func(v string) []string { return []string{v} }).
		GroupByKey().
		WithSerdes(serde.String, serde.List(serde.String)).
		Reduce("all", func(old, v []string) []string { return append(old, v...) }).
		MapValues(func(v []string) string { return strings.Join(v, "+") }).
		To(out)

	play(b, out, "a=x", "a=y")
	// Output:
	// a=x
	// a=x+y
}

// With NoCache a table forwards every update; otherwise once per changed row and commit.
func ExampleTable() {
	for _, opts := range [][]store.Option{{store.NoCache()}, nil} {
		b := topology.NewBuilder()
		kstream.From(b, words).GroupByKey().Count("counts", opts...).To(tally)

		d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.ManualCommit())
		for range 3 {
			d.Input(words).Send("a", "x")
		}
		d.Commit()
		for _, r := range d.Output(tally).Rest() {
			fmt.Print(" ", r.Value)
		}
		fmt.Println()
	}
	// Output:
	//  1 2 3
	//  3
}
