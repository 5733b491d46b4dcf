package kstream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// joined wires a join of l and r, whose databases are committed by hand.
func joined(t testing.TB, stores []string, add func(l, r kstream.Stream[string, int64])) (*wiretest.Run, store.DB) {
	b := topology.NewBuilder()
	l := kstream.From(b, topology.NewTopic("l", serde.String, serde.Int64))
	r := kstream.From(b, topology.NewTopic("r", serde.String, serde.Int64))
	add(l, r)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	db := memstore.Open(stores...)
	t.Cleanup(func() { _ = db.Close() })
	return wiretest.New(t, top, 0, func(*decl.Store) store.DB { return db }), db
}

// Each record of either side meets one of the other; commits each thousand.
func BenchmarkJoinStream(b *testing.B) {
	for _, c := range []struct {
		name   string
		stores []string
		add    func(l, r kstream.Stream[string, int64])
	}{
		{"inner", []string{"j-this-join-store", "j-other-join-store"}, func(l, r kstream.Stream[string, int64]) {
			l.JoinStream("j", r, window.Within(time.Second), func(l, r int64) int64 { return l - r }).ForEach(func(string, int64) {})
		}},
		{"outer", []string{"j-outer-this-join-store", "j-outer-other-join-store", "j-outer-shared-join-store"}, func(l, r kstream.Stream[string, int64]) {
			l.OuterJoinStream("j", r, window.Within(time.Second), func(l int64, _ bool, r int64, _ bool) int64 { return l - r }).ForEach(func(string, int64) {})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			run, db := joined(b, c.stores, c.add)
			run.Quiet = true
			left, right := run.Source("l"), run.Source("r")
			keys := make([][]byte, 10_000)
			for i := range keys {
				keys[i] = fmt.Appendf(nil, "key-%06d", i)
			}
			value := make([]byte, 8)
			b.ReportAllocs()
			in := record.In{Value: value}
			for i := 0; b.Loop(); i++ {
				in.Key, in.Time = keys[i/2%len(keys)], int64(i/2)
				*run.Meta() = record.Meta{Time: in.Time}
				if i%2 == 0 {
					left(run.Meta(), &in)
				} else {
					right(run.Meta(), &in)
				}
				if i%1000 == 999 {
					if err := db.Commit(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
