package ktable_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// pair sends records to the topics l and r, each written "topic:key=value" or "topic:key" for a deletion, and prints what
// comes out.
func pair(b *topology.Builder, records ...string) {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	for _, s := range records {
		topic, kv, _ := strings.Cut(s, ":")
		if k, v, ok := strings.Cut(kv, "="); ok {
			d.Input(words.Named(topic)).Send(k, v)
		} else {
			d.Input(words.Named(topic)).Delete(k)
		}
	}
	for _, r := range d.Output(out).Rest() {
		if r.HasValue() {
			fmt.Printf("%v=%v\n", r.Key, r.Value)
		} else {
			fmt.Printf("%v\n", r.Key)
		}
	}
}

// A join has a row where both sides have one.
func ExampleTable_Join() {
	b := topology.NewBuilder()
	stock, price := ktable.From(b, lefts, "stock"), ktable.From(b, rights, "price")
	stock.Join(price, func(n, cents string) string { return n + " at " + cents }).To(out)

	pair(b, "l:pear=3", "r:pear=40", "l:pear=2", "r:pear", "r:fig=70")
	// Output:
	// pear=3 at 40
	// pear=2 at 40
	// pear
}

// A left join has a row for each row of the left side.
func ExampleTable_LeftJoin() {
	b := topology.NewBuilder()
	stock, price := ktable.From(b, lefts, "stock"), ktable.From(b, rights, "price")
	stock.LeftJoin(price, func(n, cents string, ok bool) string {
		if !ok {
			return n + ", not for sale"
		}
		return n + " at " + cents
	}).To(out)

	pair(b, "l:pear=3", "r:pear=40", "r:pear", "l:pear")
	// Output:
	// pear=3, not for sale
	// pear=3 at 40
	// pear=3, not for sale
	// pear
}

// An outer join loses nothing: it has a row as long as one side has.
func ExampleTable_OuterJoin() {
	b := topology.NewBuilder()
	home, away := ktable.From(b, lefts, "home"), ktable.From(b, rights, "away")
	home.OuterJoin(away, func(h string, hok bool, a string, aok bool) string { return or(h, hok) + ":" + or(a, aok) }).To(out)

	pair(b, "l:cup=1", "r:cup=2", "l:cup", "r:cup")
	// Output:
	// cup=1:∅
	// cup=1:2
	// cup=∅:2
	// cup
}

// A row is joined with the row of another table that it names, and again whenever that changes.
func ExampleTable_JoinForeign() {
	b := topology.NewBuilder()
	orders, customers := ktable.From(b, lefts, "orders"), ktable.From(b, rights, "customers")
	orders.JoinForeign("order-customer", customers,
		func(_, order string) (string, bool) {
			who, _, ok := strings.Cut(order, ":")
			return who, ok
		},
		func(order, customer string) string { return order + " for " + customer }).To(out)

	pair(b, "r:7=Ann", "l:o1=7:tea", "l:o2=7:rum", "r:7=Anna", "l:o1=8:tea")
	// Output:
	// o1=7:tea for Ann
	// o2=7:rum for Ann
	// o1=7:tea for Anna
	// o2=7:rum for Anna
	// o1
}

// A left join keeps the rows that name nobody, or somebody who is not there.
func ExampleTable_LeftJoinForeign() {
	b := topology.NewBuilder()
	orders, customers := ktable.From(b, lefts, "orders"), ktable.From(b, rights, "customers")
	orders.LeftJoinForeign("order-customer", customers, beforeColon,
		func(order, customer string, ok bool) string { return order + " for " + or(customer, ok) }).To(out)

	pair(b, "l:o1=7:tea", "r:7=Ann", "l:o2=cash", "l:o1")
	// Output:
	// o1=7:tea for ∅
	// o1=7:tea for Ann
	// o2=cash for ∅
	// o1
}

// Rows move from group to group; each group counts those it has.
func ExampleTable_GroupBy() {
	b := topology.NewBuilder()
	ktable.From(b, words, "where").
		GroupBy("by-city", func(person, city string) (string, string) { return city, person }).
		Count("people").To(tally)

	play(b, tally, "Ann=Oslo", "Bob=Oslo", "Ann=Rome", "Bob")
	// Output:
	// Oslo=1
	// Oslo=2
	// Oslo=1
	// Rome=1
	// Oslo=0
}

// What is added when a row comes is subtracted when it goes.
func ExampleRegrouped_Aggregate() {
	b := topology.NewBuilder()
	ktable.From(b, words, "carts").
		GroupBy("by-fruit", func(_, fruit string) (string, string) { return fruit, fruit }).
		Aggregate("letters", serde.Int64, nil,
			func(_, fruit string, n int64) int64 { return n + int64(len(fruit)) },
			func(_, fruit string, n int64) int64 { return n - int64(len(fruit)) }).
		To(tally)

	play(b, tally, "1=fig", "2=fig", "1=pear")
	// Output:
	// fig=3
	// fig=6
	// fig=3
	// pear=4
}

func ExampleRegrouped_Reduce() {
	b := topology.NewBuilder()
	ktable.From(b, words, "where").
		GroupBy("by-initial", func(_, v string) (string, string) { return v[:1], v }).
		Reduce("said", func(acc, v string) string { return acc + "+" + v }, func(acc, v string) string { return acc + "-" + v }).
		To(out)

	play(b, out, "1=fig", "2=fox", "1=pear")
	// Output:
	// f=fig
	// f=fig+fox
	// f=fig+fox-fig
	// p=pear
}

func ExampleRegrouped_Count() {
	b := topology.NewBuilder()
	ktable.From(b, words, "where").GroupBy("by-city", func(k, v string) (string, string) { return v, k }).Count("people").To(tally)

	play(b, tally, "Ann=Oslo", "Ann=Oslo") // the same again: one less, one more
	// Output:
	// Oslo=1
	// Oslo=1
}

// A processor may keep back what it does not want to tell.
func ExampleTable_ProcessValues() {
	rises := func(_ *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
		highest := map[string]string{} // a store would survive a restart
		return func(_ context.Context, r topology.Record[string, string]) error {
			if r.Value > highest[r.Key] {
				highest[r.Key] = r.Value
				out.Send(r.Value)
			}
			return nil
		}
	}
	b := topology.NewBuilder()
	ktable.From(b, words, "latest").ProcessValues("rises", rises).To(out)

	play(b, out, "a=2", "a=1", "a=3")
	// Output:
	// a=2
	// a=3
}

// A global table is whole in every task; a processor reads it under any key.
func ExampleGlobalFrom() {
	b := topology.NewBuilder()
	prices := ktable.GlobalFrom(b, lefts, "prices")
	kstream.From(b, rights).Process("sum", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		rows := t.Global(prices.Store())
		return func(_ context.Context, r topology.Record[string, string]) error {
			out.Send(r.Key, fmt.Sprintf("%s, one of %d", r.Value, rows.Len()))
			return nil
		}
	}).To(out)

	pair(b, "l:fig=1", "l:pear=2", "r:box=fig", "l:pear", "r:bag=fig")
	// Output:
	// box=fig, one of 2
	// bag=fig, one of 1
}

// A topic that the table's changes go through needs serdes: those of the new key and value, where they have no built-in one.
func ExampleRegrouped_WithSerdes() {
	type city struct{ Name string }
	b := topology.NewBuilder()
	ktable.From(b, words, "where").
		GroupBy("by-city", func(person, where string) (city, string) { return city{where}, person }).
		WithSerdes(serde.JSON[city](), serde.String).
		Count("people").
		Then(kstream.FromTable).
		Map(func(c city, n int64) (string, int64) { return c.Name, n }).To(tally)

	play(b, tally, "Ann=Oslo", "Bob=Oslo")
	// Output:
	// Oslo=1
	// Oslo=2
}

// The store of a table is read elsewhere through its handle; that of a global table everywhere.
func ExampleGlobal_Store() {
	b := topology.NewBuilder()
	prices := ktable.GlobalFrom(b, lefts, "prices")
	fmt.Println(prices.Store().Name())
	// Output: prices
}
