package ktable_test

import (
	"fmt"
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
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
