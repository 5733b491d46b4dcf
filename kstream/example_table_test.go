package kstream_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

func ExampleStream_OnError() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		OnError(func(e *topology.RecordError) topology.Action {
			fmt.Println(e.Node, "failed at", e.Position)
			return topology.Skip()
		}).
		MapValues(func(v string) string { return v[:2] }).As("cut"). // panics for short values: an error of the record
		To(out)

	play(b, out, "a=xyz", "b=x")
	// Output:
	// cut failed at words/0@1
	// a=xy
}

func ExampleStream_Split() {
	b := topology.NewBuilder()
	p := kstream.From(b, words).Split()
	short := p.Case(func(_, v string) bool { return len(v) < 3 })
	rest := p.Default()
	short.Merge(rest.MapValues(strings.ToUpper)).To(out)

	play(b, out, "a=x", "b=long")
	// Output:
	// a=x
	// b=LONG
}

func ExampleSplit_Case() {
	b := topology.NewBuilder()
	p := kstream.From(b, words).Split()
	p.Case(func(k, _ string) bool { return k == "a" }).MapValues(strings.ToUpper).To(out)
	p.Case(func(_, v string) bool { return v == "x" }).To(out) // of those the first case did not take

	play(b, out, "a=x", "b=x", "c=y")
	// Output:
	// a=X
	// b=x
}

func ExampleSplit_Default() {
	b := topology.NewBuilder()
	s := kstream.From(b, words)
	p := s.Split()
	a := p.Case(func(k, _ string) bool { return k == "a" })
	a.Merge(p.Default()).To(out) // cases and default together are the stream; deletions go to each

	play(b, out, "a=x", "b=y", "a")
	// Output:
	// a=x
	// b=y
	// a
	// a
}

func ExampleStream_Merge() {
	b := topology.NewBuilder()
	s := kstream.From(b, words)
	s.Merge(s.MapValues(strings.ToUpper).WithValueSerde(serde.String)).To(out)

	play(b, out, "a=x") // each record once per stream it is in
	// Output:
	// a=X
	// a=x
}

func ExampleStream_Repartition() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		SelectKey(func(_, v string) string { return v[:1] }).
		Repartition("by-letter"). // without it, GroupByKey is a build error
		GroupByKey().
		Count("counts").
		To(sums)

	play(b, sums, "1=apple", "2=bee", "3=ant")
	// Output:
	// a=1
	// b=1
	// a=2
}

func ExampleStream_RepartitionBy() {
	last := func(k, _ string, partitions int) int {
		n, _ := strconv.Atoi(k[len(k)-1:])
		return n % partitions
	}

	b := topology.NewBuilder()
	kstream.From(b, words).RepartitionBy("by-digit", last, kstream.Partitions(2)).
		ProcessValues("where", func(t *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
			return func(_ context.Context, r topology.Record[string, string]) error {
				p, _ := t.Source()
				out.Send(fmt.Sprint("partition ", p.Partition))
				return nil
			}
		}).
		To(out)

	play(b, out, "k2=x", "k5=y", "k7=z")
	// Output:
	// k2=partition 0
	// k5=partition 1
	// k7=partition 1
}

func ExamplePartitions() {
	b := topology.NewBuilder()
	kstream.From(b, words).Repartition("wider", kstream.Partitions(12)).To(out)

	fmt.Println(topology.Must(b.Build()))
	// Output:
	// Topologies:
	//    Sub-topology: 0
	//     Source: source-0 (topics: [words])
	//       --> wider-repartition-sink
	//     Sink: wider-repartition-sink (topic: wider-repartition)
	//       <-- source-0
	//
	//    Sub-topology: 1
	//     Source: wider-repartition-source (topics: [wider-repartition])
	//       --> sink-3
	//     Sink: sink-3 (topic: out)
	//       <-- wider-repartition-source
}

func ExampleStream_AssumePartitioned() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		SelectKey(func(k, _ string) string { return strings.ToLower(k) }).
		AssumePartitioned(). // the producers choose the partition by the lower-case key
		GroupByKey().
		Count("counts").
		To(sums)

	play(b, sums, "A=x", "a=y")
	// Output:
	// a=1
	// a=2
}

func ExampleStream_GroupByKey() {
	b := topology.NewBuilder()
	kstream.From(b, words).GroupByKey().Count("counts").To(sums)

	play(b, sums, "a=x", "b=y", "a=z", "a", "=w") // without a value or a key nothing is counted
	// Output:
	// a=1
	// b=1
	// a=2
}

func ExampleStream_GroupBy() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		FlatMapValues(strings.Fields).
		GroupBy("by-word", func(_, word string) string { return word }).
		Count("word-counts").
		To(sums)

	play(b, sums, "1=to be or", "2=not to be")
	// Output:
	// to=1
	// be=1
	// or=1
	// not=1
	// to=2
	// be=2
}

func ExampleStream_ToTable() {
	b := topology.NewBuilder()
	kstream.From(b, words).ToTable("latest").Then(kstream.FromTable).To(out) // a stream that is a changelog stays the same

	play(b, out, "a=x", "a=y", "a")
	// Output:
	// a=x
	// a=y
	// a
}

func ExampleFromTable() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").
		Filter(func(_, v string) bool { return v != "secret" }).
		Then(kstream.FromTable).
		To(out)

	play(b, out, "a=x", "b=secret", "a=secret") // b was never there, a no longer is
	// Output:
	// a=x
	// a
}

func ExampleFromChanges() {
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").
		Then(kstream.FromChanges).
		MapValues(func(c kstream.Change[string]) string {
			if !c.HasOld {
				return c.New
			}
			return c.Old + " → " + c.New
		}).
		To(out)

	play(b, out, "a=x", "a=y")
	// Output:
	// a=x
	// a=x → y
}

func ExampleStream_JoinTable() {
	names := words.Named("names")
	b := topology.NewBuilder()
	kstream.From(b, words).
		JoinTable(ktable.From(b, names, "names"), func(v, name string) string { return name + " says " + v }).
		To(out)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("1", "hm") // nobody is 1 yet: dropped
	d.Input(names).Send("1", "Ada")
	d.Input(words).Send("1", "hello")
	fmt.Println(d.Output(out).Next().Value)
	// Output:
	// Ada says hello
}

func ExampleStream_LeftJoinTable() {
	names := words.Named("names")
	b := topology.NewBuilder()
	kstream.From(b, words).
		LeftJoinTable(ktable.From(b, names, "names"), func(v, name string, ok bool) string {
			if !ok {
				name = "somebody"
			}
			return name + " says " + v
		}).
		To(out)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("1", "hm")
	d.Input(names).Send("1", "Ada")
	d.Input(words).Send("1", "hello")
	d.Input(names).Delete("1")
	d.Input(words).Send("1", "bye")
	for _, r := range d.Output(out).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// somebody says hm
	// Ada says hello
	// somebody says bye
}

func ExampleStream_Process_timer() {
	// A heartbeat: each record is sent on, and every minute the number of those since the last.
	beat := func(t *topology.Task, out topology.Out[string, int64]) topology.Handler[string, string] {
		n := int64(0)
		t.EveryWall(time.Minute, func(now time.Time) error {
			out.Send(now.UTC().Format(time.TimeOnly), n)
			n = 0
			return nil
		})
		return func(context.Context, topology.Record[string, string]) error { n++; return nil }
	}

	b := topology.NewBuilder()
	kstream.From(b, words).Process("beat", beat).To(sums)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("a", "x")
	d.Input(words).Send("b", "y")
	d.Advance(time.Minute)
	r := d.Output(sums).Next()
	fmt.Println(r.Key, r.Value)
	// Output:
	// 00:01:00 2
}

func ExampleStream_ProcessValues() {
	where := func(t *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
		return func(_ context.Context, r topology.Record[string, string]) error {
			p, _ := t.Source()
			out.Send(p.String())
			return nil
		}
	}

	b := topology.NewBuilder()
	kstream.From(b, words).ProcessValues("where", where).To(out)

	play(b, out, "a=x", "b=y")
	// Output:
	// a=words/0@0
	// b=words/0@1
}

func ExampleStream_To() {
	b := topology.NewBuilder()
	s := kstream.From(b, words)
	s.To(out)
	s.To(out.Named("copy")) // a stream may be written to several topics

	play(b, out, "a=x")
	// Output:
	// a=x
}

func ExampleStream_ToEach() {
	b := topology.NewBuilder()
	kstream.From(b, words).ToEach(func(r topology.Record[string, string]) topology.Topic[string, string] {
		return words.Named("user-" + r.Key)
	})

	play(b, words.Named("user-a"), "a=x", "b=y", "a")
	// Output:
	// a=x
	// a
}

func ExampleStream_Then() {
	nonEmpty := func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
		return s.Filter(func(_, v string) bool { return v != "" })
	}

	b := topology.NewBuilder()
	kstream.From(b, words).Then(nonEmpty).To(out)

	play(b, out, "a=", "b=y")
	// Output:
	// b=y
}

func ExampleStream_WithValueSerde() {
	type order struct{ Cents int }

	b := topology.NewBuilder()
	kstream.From(b, words).
		MapValues(func(v string) order { return order{len(v)} }).
		WithValueSerde(serde.JSON[order]()). // Repartition writes bytes, and an order has no serde of its own
		Repartition("orders").
		MapValues(func(o order) int64 { return int64(o.Cents) }).
		To(sums)

	play(b, sums, "a=xyz")
	// Output:
	// a=3
}

func ExampleStream_WithKeySerde() {
	type city struct{ Name string }

	b := topology.NewBuilder()
	kstream.From(b, words).
		SelectKey(func(_, v string) city { return city{v} }).
		WithKeySerde(serde.JSON[city]()).
		Repartition("by-city").
		Map(func(c city, v string) (string, string) { return c.Name, v }).
		To(out)

	play(b, out, "a=Paris")
	// Output:
	// Paris=Paris
}

func ExampleStream_WithSerdes() {
	type point struct{ X, Y int }

	b := topology.NewBuilder()
	kstream.From(b, words).
		Map(func(k, v string) (point, point) { return point{len(k), len(v)}, point{len(v), len(k)} }).
		WithSerdes(serde.JSON[point](), serde.JSON[point]()).
		Repartition("points").
		Map(func(p, q point) (string, string) { return fmt.Sprint(p), fmt.Sprint(q) }).
		To(out)

	play(b, out, "a=xyz")
	// Output:
	// {1 3}={3 1}
}

func ExampleStream_As() {
	b := topology.NewBuilder()
	kstream.From(b, words).MapValues(strings.ToUpper).As("shout").To(out)

	fmt.Println(topology.Must(b.Build()))
	// Output:
	// Topologies:
	//    Sub-topology: 0
	//     Source: source-0 (topics: [words])
	//       --> shout
	//     Processor: shout (stores: [])
	//       --> sink-2
	//       <-- source-0
	//     Sink: sink-2 (topic: out)
	//       <-- shout
}

// Records of any key are joined with the rows of a table that every process has all of.
func ExampleStream_JoinGlobal() {
	b := topology.NewBuilder()
	countries := ktable.GlobalFrom(b, topology.NewTopic("countries", serde.String, serde.String), "countries")
	kstream.From(b, topology.NewTopic("calls", serde.String, serde.String)).
		JoinGlobal(countries, func(_, number string) (string, bool) { return number[:2], true },
			func(number, country string) string { return number + " (" + country + ")" }).
		To(topology.NewTopic("named", serde.String, serde.String))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(topology.NewTopic("countries", serde.String, serde.String)).Send("47", "Norway")
	calls := d.Input(topology.NewTopic("calls", serde.String, serde.String))
	calls.Send("Ann", "4722")
	calls.Send("Bob", "9933") // from nowhere
	for _, r := range d.Output(topology.NewTopic("named", serde.String, serde.String)).Rest() {
		fmt.Println(r.Key, r.Value)
	}
	// Output:
	// Ann 4722 (Norway)
}

// A left join keeps what it does not find.
func ExampleStream_LeftJoinGlobal() {
	b := topology.NewBuilder()
	countries := ktable.GlobalFrom(b, topology.NewTopic("countries", serde.String, serde.String), "countries")
	kstream.From(b, topology.NewTopic("calls", serde.String, serde.String)).
		LeftJoinGlobal(countries, func(_, number string) (string, bool) { return number[:2], true },
			func(number, country string, ok bool) string {
				if !ok {
					return number
				}
				return number + " (" + country + ")"
			}).
		To(topology.NewTopic("named", serde.String, serde.String))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(topology.NewTopic("countries", serde.String, serde.String)).Send("47", "Norway")
	calls := d.Input(topology.NewTopic("calls", serde.String, serde.String))
	calls.Send("Ann", "4722")
	calls.Send("Bob", "9933")
	for _, r := range d.Output(topology.NewTopic("named", serde.String, serde.String)).Rest() {
		fmt.Println(r.Key, r.Value)
	}
	// Output:
	// Ann 4722 (Norway)
	// Bob 9933
}
