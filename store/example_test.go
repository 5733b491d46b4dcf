package store_test

import (
	"context"
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
	prices  = topology.NewTopic("prices", serde.String, serde.Int64)
	changes = prices.Named("changes")
)

// show sends prices, each so many seconds after 1970, and prints what comes out.
func show(b *topology.Builder, records ...[3]any) *kstest.Driver {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	for _, r := range records {
		d.Input(prices).SendAt(time.Unix(int64(r[0].(int)), 0), r[1].(string), int64(r[2].(int)))
	}
	for _, r := range d.Output(changes).Rest() {
		if r.HasValue() {
			fmt.Println(r.Key, r.Value)
		} else {
			fmt.Println(r.Key, "deleted")
		}
	}
	return d
}

// A processor keeps state of its own: what is put is read back at once, and committed with the record's transaction.
func ExampleNewKeyValue() {
	highest := store.NewKeyValue("highest", serde.String, serde.Int64)
	b := topology.NewBuilder()
	kstream.From(b, prices).Process("highest", func(t *topology.Task, out topology.Out[string, int64]) topology.Handler[string, int64] {
		rows := t.KeyValue(highest)
		return func(_ context.Context, r topology.Record[string, int64]) error {
			if old, ok := rows.Get(r.Key); !ok || old < r.Value {
				rows.Put(r.Key, r.Value)
				out.Send(r.Key, r.Value)
			}
			return nil
		}
	}, highest).To(changes)

	show(b, [3]any{1, "pear", 5}, [3]any{2, "pear", 4}, [3]any{3, "pear", 6})
	// Output:
	// pear 5
	// pear 6
}

// Law: what was not written for the time to live is not seen any more, and is deleted downstream.
func ExampleTTL() {
	b := topology.NewBuilder()
	ktable.From(b, prices, "fresh", store.TTL(time.Minute)).To(changes)

	show(b, [3]any{0, "pear", 5}, [3]any{30, "fig", 7}, [3]any{60, "plum", 3})
	// Output:
	// pear 5
	// fig 7
	// plum 3
	// pear deleted
}

// Law: there are never more rows than the limit; the one used longest ago goes first.
func ExampleLRU() {
	b := topology.NewBuilder()
	ktable.From(b, prices, "few", store.LRU(2)).To(changes)

	show(b, [3]any{1, "pear", 5}, [3]any{2, "fig", 7}, [3]any{3, "pear", 6}, [3]any{4, "plum", 3})
	// Output:
	// pear 5
	// fig 7
	// pear 6
	// plum 3
	// fig deleted
}

// Headers are kept with the row, and are there when it is read.
func ExampleHeaders() {
	b := topology.NewBuilder()
	rows := ktable.From(b, prices, "rows", store.Headers())
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(prices).SendRecord(topology.Record[string, int64]{Key: "pear", Value: 5, Headers: topology.Headers{{Key: "by", Value: []byte("Ada")}}})

	by, _ := topology.Headers(d.Table(rows).Headers("pear")).Get("by")
	fmt.Printf("%s\n", by)
	// Output: Ada
}

// A join finds the row that held at the time of the record, however late that comes.
func ExampleHistory() {
	b := topology.NewBuilder()
	orders := topology.NewTopic("orders", serde.String, serde.String)
	priced := topology.NewTopic("priced", serde.String, serde.String)
	rows := ktable.From(b, prices, "prices", store.History(time.Hour))
	kstream.From(b, orders).JoinTable(rows, func(order string, price int64) string { return fmt.Sprint(order, " at ", price) }).To(priced)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(prices).SendAt(time.Unix(0, 0), "pear", 5)
	d.Input(prices).SendAt(time.Unix(60, 0), "pear", 6)
	d.Input(orders).SendAt(time.Unix(70, 0), "pear", "new")
	d.Input(orders).SendAt(time.Unix(50, 0), "pear", "late")
	for _, r := range d.Output(priced).Rest() {
		fmt.Println(r.Value)
	}
	// Output:
	// new at 6
	// late at 5
}

// Law: without a cache each update is forwarded, however seldom the task commits.
func ExampleNoCache() {
	for _, opts := range [][]store.Option{nil, {store.NoCache()}} {
		b := topology.NewBuilder()
		kstream.From(b, prices).GroupByKey().Count("counts", opts...).To(changes)
		d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.ManualCommit())
		for range 3 {
			d.Input(prices).Send("pear", 5)
		}
		d.Commit()
		fmt.Println(len(d.Output(changes).Rest()))
	}
	// Output:
	// 1
	// 3
}

// Law: rows in memory come back from the changelog; without one they are gone.
func ExampleInMemory() {
	for _, opts := range [][]store.Option{{store.InMemory()}, {store.InMemory(), store.NoChangelog()}} {
		b := topology.NewBuilder()
		rows := kstream.From(b, prices).ToTable("rows", opts...)
		d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
		d.Input(prices).Send("pear", 5)
		d.Crash()
		price, ok := d.Table(rows).Get("pear")
		fmt.Println(price, ok, d.Topics())
	}
	// Output:
	// 5 true [app-rows-changelog prices]
	// 0 false [prices]
}

// Law: a table kept in its source topic is restored from there, and has no changelog.
func ExampleSourceChangelog() {
	b := topology.NewBuilder()
	rows := ktable.From(b, prices, "rows", store.SourceChangelog())
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(prices).Send("pear", 5)
	d.Crash()
	price, _ := d.Table(rows).Get("pear")
	fmt.Println(price, d.Topics())
	// Output: 5 [prices]
}

// A window store keeps a value per key and start; with Duplicates it keeps all of them. Windows longer ago than the
// retention are not seen, and their rows go a segment at a time.
func ExampleNewWindow() {
	for _, opts := range [][]store.Option{nil, {store.Duplicates()}, {store.Retention(2 * time.Minute), store.SegmentInterval(time.Minute)}} {
		seen := store.NewWindow("seen", serde.String, serde.Int64, time.Minute, time.Hour, opts...)
		b := topology.NewBuilder()
		kstream.From(b, prices).Process("seen", func(t *topology.Task, out topology.Out[string, int64]) topology.Handler[string, int64] {
			rows := t.Window(seen)
			return func(_ context.Context, r topology.Record[string, int64]) error {
				rows.Put(r.Key, r.Time.Truncate(time.Minute), r.Value)
				n := int64(0)
				for range rows.Fetch(r.Key, time.Unix(0, 0), r.Time) {
					n++
				}
				out.Send(r.Key, n)
				return nil
			}
		}, seen).To(changes)
		show(b, [3]any{1, "pear", 5}, [3]any{2, "pear", 6}, [3]any{600, "pear", 7})
	}
	// Output:
	// pear 1
	// pear 1
	// pear 2
	// pear 1
	// pear 2
	// pear 3
	// pear 1
	// pear 1
	// pear 1
}

// A session store keeps a value per key and stretch of time.
func ExampleNewSession() {
	visits := store.NewSession("visits", serde.String, serde.Int64, time.Hour)
	b := topology.NewBuilder()
	kstream.From(b, prices).Process("visits", func(t *topology.Task, _ topology.Out[string, int64]) topology.Handler[string, int64] {
		rows := t.Session(visits)
		return func(_ context.Context, r topology.Record[string, int64]) error {
			for span, v := range rows.Fetch(r.Key) {
				if r.Time.Sub(span.End()) <= time.Minute {
					fmt.Println("longer by", r.Time.Sub(span.End()), "after", v)
				}
			}
			return nil
		}
	}, visits)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Sessions(visits).Put("pear", window.Between(time.Unix(0, 0), time.Unix(10, 0)), 3)
	d.Input(prices).SendAt(time.Unix(30, 0), "pear", 5)
	// Output: longer by 20s after 3
}

// A versioned store keeps what each row was.
func ExampleNewVersioned() {
	was := store.NewVersioned("was", serde.String, serde.Int64, time.Hour)
	b := topology.NewBuilder()
	kstream.From(b, prices).Process("was", func(t *topology.Task, out topology.Out[string, int64]) topology.Handler[string, int64] {
		rows := t.Versioned(was)
		return func(_ context.Context, r topology.Record[string, int64]) error {
			rows.Put(r.Key, r.Value, r.Time)
			if row, ok := rows.GetAsOf(r.Key, r.Time.Add(-time.Minute)); ok {
				out.Send(r.Key, row.Value)
			}
			return nil
		}
	}, was).To(changes)

	show(b, [3]any{0, "pear", 5}, [3]any{30, "pear", 6}, [3]any{80, "pear", 7}, [3]any{95, "pear", 8})
	// Output:
	// pear 5
	// pear 6
}

// Settings of a changelog topic go with the store.
func ExampleTopicConfig() {
	spec := store.NewKeyValue("rows", serde.String, serde.Int64, store.TopicConfig("min.insync.replicas", "2"))
	fmt.Println(spec.Decl().TopicConfig)
	// Output: map[min.insync.replicas:2]
}
