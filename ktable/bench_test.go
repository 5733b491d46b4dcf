package ktable_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// benchKeys is how many keys the benchmarks of folds go through.
const benchKeys = 10_000

// fold measures a program on records of 10,000 keys whose event time moves on by step milliseconds each, with a commit
// every 1,000 records.
func fold(b *testing.B, step int64, program func(b *topology.Builder)) {
	w := wire(b, program)
	w.Quiet = true
	keys := make([][]byte, benchKeys)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key-%05d", i)
	}
	f, in := w.Source("words"), &record.In{Value: []byte("v")}
	i, at := 0, int64(1_700_000_000_000)
	run := func() {
		in.Key, in.Time = keys[i*7919%benchKeys], at
		m := w.Meta()
		*m = record.Meta{Time: in.Time}
		f(m, in)
		at += step
		if i++; i%1000 == 0 {
			w.commit()
		}
	}
	for range benchKeys {
		run()
	}
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

func BenchmarkCount(b *testing.B) {
	for name, opts := range map[string][]store.Option{"every update": {store.NoCache()}, "per commit": nil} {
		b.Run(name, func(b *testing.B) {
			fold(b, 1, func(b *topology.Builder) { kstream.From(b, words).GroupByKey().Count("n", opts...).To(tally) })
		})
	}
}

// BenchmarkWindows measures folds into windows of each kind, without the sending of results: 10,000 keys, event time a
// millisecond per record.
func BenchmarkWindows(b *testing.B) {
	type table = ktable.Table[window.Key[string], int64]
	for name, count := range map[string]func(g ktable.Grouped[string, string], opts ...store.Option) table{
		"tumbling": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBy(window.Tumbling(time.Minute)).Count("n", opts...)
		},
		"hopping by a third": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBy(window.Hopping(time.Minute, 20*time.Second)).Count("n", opts...)
		},
		"sliding": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBy(window.Sliding(time.Minute)).Count("n", opts...)
		},
		"session": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBySession(window.Session(time.Minute)).Count("n", opts...)
		},
		"tumbling on close": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBy(window.Tumbling(time.Minute)).EmitOnClose().Count("n", opts...)
		},
		"session on close": func(g ktable.Grouped[string, string], opts ...store.Option) table {
			return g.WindowedBySession(window.Session(time.Second)).EmitOnClose().Count("n", opts...)
		},
	} {
		b.Run(name, func(b *testing.B) {
			fold(b, 1, func(b *topology.Builder) {
				count(kstream.From(b, words).GroupByKey(), store.NoCache()).Then(kstream.FromTable).ForEach(func(window.Key[string], int64) {})
			})
		})
	}
}
