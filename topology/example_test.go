package topology_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

func ExampleBuilder_Build() {
	b := topology.NewBuilder()
	s := kstream.From(b, lines)
	s.SelectKey(func(_, v string) string { return v }).GroupByKey().Count("counts")
	s.GroupByKey().Count("counts")

	_, err := b.Build() // every mistake, each with file and line
	fmt.Println(err)
	// Output:
	// example_test.go:19: GroupByKey needs records partitioned by their new key (changed at example_test.go:19): call Repartition("…") or AssumePartitioned()
	// example_test.go:20: Count("counts"): store "counts" already used at example_test.go:19: choose another name, or share the handle made there
}

func ExampleMust() {
	b := topology.NewBuilder()
	kstream.From(b, lines).To(lines.Named("copy"))
	top := topology.Must(b.Build()) // a program that cannot go on without its topology

	fmt.Println(len(top.Describe().Subtopologies))
	// Output:
	// 1
}

func ExampleTopology_String() {
	b := topology.NewBuilder()
	kstream.From(b, lines).MapValues(strings.ToUpper).As("shout").To(lines.Named("loud"))

	fmt.Print(topology.Must(b.Build()))
	// Output:
	// Topologies:
	//    Sub-topology: 0
	//     Source: source-0 (topics: [lines])
	//       --> shout
	//     Processor: shout (stores: [])
	//       --> sink-2
	//       <-- source-0
	//     Sink: sink-2 (topic: loud)
	//       <-- shout
}

func ExampleTopology_Mermaid() {
	b := topology.NewBuilder()
	kstream.From(b, lines).MapValues(strings.ToUpper).As("shout").To(lines.Named("loud"))

	fmt.Print(topology.Must(b.Build()).Mermaid())
	// Output:
	// flowchart TD
	//   subgraph s0 [Sub-topology 0]
	//     n0["source-0"]
	//     n1["shout"]
	//     n2["sink-2"]
	//   end
	//   t0(["lines"])
	//   t0 --> n0
	//   n0 --> n1
	//   n1 --> n2
	//   t1(["loud"])
	//   n2 --> t1
}

func ExampleTopology_Diff() {
	version := func(store string) *topology.Topology {
		b := topology.NewBuilder()
		kstream.From(b, lines).GroupByKey().Count(store).To(counts)
		return topology.Must(b.Build())
	}

	for _, c := range version("line-counts").Diff(version("counts")) {
		fmt.Println(c.Kind, c.Name, c.LosesState)
	}
	// Output:
	// store removed counts true
	// store added line-counts false
}

func ExampleTopology_Describe() {
	b := topology.NewBuilder()
	kstream.From(b, lines).GroupByKey().Count("line-counts").To(counts)

	for _, s := range topology.Must(b.Build()).Describe().Subtopologies {
		for _, n := range s.Nodes {
			fmt.Println(s.ID, n.Kind, n.Name, n.Topics, n.Stores, n.Next)
		}
	}
	// Output:
	// 0 source source-0 [lines] [] [line-counts]
	// 0 count line-counts [] [line-counts] [sink-2]
	// 0 sink sink-2 [counts] [] []
}

func ExampleNewTopic() {
	type order struct{ Cents int64 }
	orders := topology.NewTopic("orders", serde.String, serde.JSON[order]())

	b := topology.NewBuilder()
	kstream.From(b, orders).MapValues(func(o order) int64 { return o.Cents }).To(counts)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(orders).Send("1", order{Cents: 250})
	fmt.Println(d.Output(counts).Next().Value)
	// Output:
	// 250
}

func ExampleTopic_AndNamed() {
	b := topology.NewBuilder()
	kstream.From(b, lines.AndNamed("old-lines")).To(lines.Named("all"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(lines.Named("old-lines")).Send("1", "before")
	d.Input(lines).Send("1", "after")
	for _, r := range d.Output(lines.Named("all")).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// before
	// after
}

func ExampleTopic_Matching() {
	b := topology.NewBuilder()
	kstream.From(b, lines.Matching(`lines-[a-z]+`)).To(lines.Named("all"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(lines.Named("lines-de")).Send("1", "Hallo")
	d.Input(lines.Named("lines-fr")).Send("1", "Salut")
	for _, r := range d.Output(lines.Named("all")).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// Hallo
	// Salut
}

func ExampleTopic_TimeFrom() {
	stamped := lines.TimeFrom(func(r topology.Record[string, string]) time.Time {
		if s, err := strconv.ParseInt(r.Key, 10, 64); err == nil {
			return time.Unix(s, 0)
		}
		return r.Time // the record's own
	})

	b := topology.NewBuilder()
	kstream.From(b, stamped).To(lines.Named("out"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(lines).Send("86400", "the second day")
	fmt.Println(d.Output(lines.Named("out")).Next().Time.UTC().Format(time.DateTime))
	// Output:
	// 1970-01-02 00:00:00
}

func ExampleTopic_PartitionBy() {
	byLength := lines.Named("by-length").PartitionBy(func(_, v string, partitions int) int { return len(v) % partitions })

	b := topology.NewBuilder()
	kstream.From(b, lines).To(byLength)
	kstream.From(b, byLength).ProcessValues("where", func(t *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
		return func(_ context.Context, r topology.Record[string, string]) error {
			out.Send(fmt.Sprint(r.Value, " in partition ", t.ID().Partition))
			return nil
		}
	}).To(lines.Named("out"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.PartitionCount(4))
	d.Input(lines).Send("1", "three")
	d.Input(lines).Send("1", "of")
	for _, r := range d.Output(lines.Named("out")).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// three in partition 1
	// of in partition 2
}

func ExampleTopic_OnError() {
	dead := counts.OnError(func(e *topology.RecordError) topology.Action {
		fmt.Println(e.Err)
		return topology.DeadLetter("dead")
	})

	b := topology.NewBuilder()
	kstream.From(b, dead).To(counts.Named("out"))

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(counts).SendBytes([]byte("k"), []byte("no number"))
	fmt.Println(d.Output(lines.Named("dead")).Next().Value)
	// Output:
	// topology: the value of a record of topic "counts" cannot be decoded: serde: int64 wants 8 bytes, got 9
	// no number
}

func ExampleHeaders_With() {
	h := topology.Headers{}.With("trace", []byte("1")).With("trace", []byte("2"))
	last, _ := h.Get("trace")
	fmt.Printf("%s of %d\n", last, len(h))
	_, ok := h.Without("trace").Get("trace")
	fmt.Println(ok, len(h))
	// Output:
	// 2 of 2
	// false 2
}

func ExampleRecord_WithoutValue() {
	r := topology.Record[string, int64]{Key: "a", Value: 1}
	d := r.WithoutValue() // deletes the key a
	fmt.Println(r.HasValue(), d.HasValue(), d.Key, d.Value)
	// Output:
	// true false a 0
}
