package kstest_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

func Example() {
	lines := topology.NewTopic("lines", serde.String, serde.String)
	loud := topology.NewTopic("loud", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, lines).MapValues(strings.ToUpper).To(loud)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build())) // in a test: kstest.New(t, …)
	d.Input(lines).Send("a", "hello")
	d.Output(loud).Expect(kstest.KV("a", "HELLO"))
	d.Output(loud).Expect(kstest.KV("a", "there is no second record"))
	// Output:
	// kstest: topic loud:
	//      want                                got
	//  > 0 "a" = "there is no second record"   -
}

// What is committed before a crash comes back: crashing changes nothing that can be seen.
func ExampleDriver_Crash() {
	top, table := wordCount()
	d := kstest.New(kstest.InExample(), top)
	d.Input(lines).Send("", "to be or not to be")
	before, _ := d.Table(table).Get("be")
	d.Crash()
	after, _ := d.Table(table).Get("be")
	fmt.Println(before, after)
	// Output: 2 2
}

// Committing by hand shows what a table forwards once per commit: the last value of each key.
func ExampleManualCommit() {
	top, _ := wordCount()
	d := kstest.New(kstest.InExample(), top, kstest.ManualCommit())
	d.Input(lines).Send("", "to be or not to be")
	fmt.Println("before:", len(d.Output(counts).Rest()))
	d.Commit()
	for _, r := range d.Output(counts).Rest() {
		fmt.Println(r.Key, r.Value)
	}
	// Output:
	// before: 0
	// or 1
	// not 1
	// to 2
	// be 2
}

// With every update forwarded at once, how often a task commits changes nothing.
func ExampleManualCommit_noCache() {
	top, _ := wordCount(store.NoCache())
	d := kstest.New(kstest.InExample(), top, kstest.ManualCommit())
	d.Input(lines).Send("", "to be or not to be")
	d.Commit()
	for _, r := range d.Output(counts).Rest() {
		fmt.Print(r.Key, " ", r.Value, ", ")
	}
	// Output: to 1, be 1, or 1, not 1, to 2, be 2,
}

func ExampleDriver_Advance() {
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("clock", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		t.EveryWall(time.Hour, func(now time.Time) error {
			out.Send("it is", now.UTC().Format("15:04"))
			return nil
		})
		return func(context.Context, topology.Record[string, string]) error { return nil }
	}).To(loud)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.StartingAt(time.Date(2026, 1, 1, 9, 30, 0, 0, time.UTC)))
	d.Advance(59 * time.Minute)
	d.Output(loud).ExpectNone()
	d.Advance(time.Minute)
	fmt.Println(d.Output(loud).Next().Value)
	// Output: 10:30
}

func ExampleOnError() {
	d := kstest.New(kstest.InExample(), parse(), kstest.OnError(func(e *topology.RecordError) topology.Action {
		return topology.Skip()
	}))
	d.Input(lines).Send("a", "1")
	d.Input(lines).Send("b", "two")
	d.Output(counts).Expect(kstest.KV("a", int64(1)))
	for _, e := range d.Errors() {
		fmt.Printf("%v: %s\n", e.Position, e.Value)
	}
	fmt.Println(d.Dropped())
	// Output:
	// lines/0@1: two
	// map[skipped:1]
}

func ExampleDriver_Store() {
	top, table := wordCount()
	d := kstest.New(kstest.InExample(), top)
	d.Store(table.Store()).Put("be", 40)
	d.Input(lines).Send("", "to be or not to be")
	n, _ := d.Table(table).Get("be")
	fmt.Println(n)
	// Output: 42
}

func ExampleInput_SendBytes() {
	d := kstest.New(kstest.InExample(), shoutNumbers(), kstest.OnError(func(e *topology.RecordError) topology.Action {
		return topology.DeadLetter("dead")
	}))
	d.Input(counts).SendBytes([]byte("k"), []byte("not eight bytes"))
	dead := d.Output(topology.NewTopic("dead", serde.String, serde.String)).Next()
	fmt.Println(dead.Value)
	// Output: not eight bytes
}

// Wrappers see each record at each step: here they say what passes where.
func ExampleAround() {
	d := kstest.New(kstest.InExample(), shout(), kstest.Around(func(s topology.Step) func(context.Context, topology.Handling, func()) error {
		return func(_ context.Context, h topology.Handling, handle func()) error {
			fmt.Println(h.Position, s.Kind)
			handle()
			return nil
		}
	}))
	d.Input(lines).Send("k", "hush")
	// Output:
	// lines/0@0 source
	// lines/0@0 map-values
	// lines/0@0 sink
}
