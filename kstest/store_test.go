package kstest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// priced looks up a price for each line.
func priced(opts ...store.Option) (*topology.Topology, ktable.Table[string, int64]) {
	b := topology.NewBuilder()
	prices := ktable.From(b, counts, "prices", opts...)
	kstream.From(b, lines).LeftJoinTable(prices, func(s string, n int64, ok bool) string { return fmt.Sprint(s, n, ok) }).To(loud)
	return topology.Must(b.Build()), prices
}

func TestAStoreIsReadAndWrittenOverAllPartitions(t *testing.T) {
	for _, partitions := range []int{1, 4} {
		top, prices := priced()
		d := kstest.New(t, top, kstest.PartitionCount(partitions), kstest.StartingAt(time.UnixMilli(5000)))
		s := d.Store(prices.Store())
		for i := range 10 {
			s.Put(fmt.Sprint("k", i), int64(i))
		}
		if old, found := s.PutIfAbsent("k3", 33); old != 3 || !found {
			t.Errorf("PutIfAbsent of a row that is there: %d, %v", old, found)
		}
		if old, found := s.PutIfAbsent("l", 33); old != 0 || found {
			t.Errorf("PutIfAbsent of a new row: %d, %v", old, found)
		}
		if old, found := s.Delete("k5"); old != 5 || !found {
			t.Errorf("Delete: %d, %v", old, found)
		}
		if _, found := s.Delete("k5"); found {
			t.Error("deleted twice")
		}
		if row, ok := s.GetRow("k4"); row != (store.Row[int64]{Value: 4, Time: time.UnixMilli(5000)}) || !ok {
			t.Errorf("GetRow: %v, %v", row, ok)
		}
		if _, ok := s.Get("k"); ok {
			t.Error("Get of no row")
		}
		if n := s.Len(); n != 10 {
			t.Errorf("Len = %d, want 10", n)
		}
		d.Crash() // what was put is committed, and the handle stays good
		for name, c := range map[string]struct {
			got  func(yield func(string, int64) bool)
			want string
		}{
			"All":     {s.All(), "[k0 k1 k2 k3 k4 k6 k7 k8 k9 l]"},
			"Range":   {s.Range("k2", "k6"), "[k2 k3 k4 k6]"},
			"Reverse": {s.Reverse("k2", "k6"), "[k6 k4 k3 k2]"},
			"Prefix":  {s.Prefix([]byte("l")), "[l]"},
		} {
			var keys []string
			for k := range c.got {
				keys = append(keys, k)
			}
			if got := fmt.Sprint(keys); got != c.want {
				t.Errorf("%d partitions: %s gives %s, want %s", partitions, name, got, c.want)
			}
		}
		for range s.All() {
			break // a walk may end early
		}
		// The rows are where the topology looks for them.
		for i := range 10 {
			d.Input(lines).Send(fmt.Sprint("k", i), "x")
			if got, want := d.Output(loud).Next().Value, fmt.Sprint("x", i, " ", true); i != 5 && got != want {
				t.Errorf("%d partitions: got %q, want %q", partitions, got, want)
			}
		}
		if got := d.Output(topology.NewTopic("app-prices-changelog", serde.String, serde.Int64)).Rest(); !slices.ContainsFunc(got, func(r topology.Record[string, int64]) bool {
			return r.Key == "k5" && !r.HasValue()
		}) {
			t.Errorf("the deletion of k5 is not in the changelog: %v", got)
		}
	}
}

func TestARowPutIsInTheOpenTransaction(t *testing.T) {
	top, prices := priced()
	d := kstest.New(t, top, kstest.ManualCommit())
	s := d.Store(prices.Store())
	s.Put("k", 1)
	if n, ok := s.Get("k"); n != 1 || !ok {
		t.Errorf("k = %d, %v before the commit", n, ok)
	}
	d.Crash()
	if n, ok := s.Get("k"); ok {
		t.Errorf("k = %d after the crash", n)
	}
}

func TestStoresThatAreNotThereAreNamed(t *testing.T) {
	b := topology.NewBuilder()
	dear := ktable.From(b, counts, "prices").Filter(func(_ string, n int64) bool { return n > 100 })
	dear.To(counts.Named("dear"))
	top := topology.Must(b.Build())
	watch(func(t testing.TB) {
		kstest.New(t, top).Table(dear)
	}).want(t, true, "the table has no store: call Materialize")
	watch(func(t testing.TB) {
		kstest.New(t, top).Store(store.NewKeyValue("other", serde.String, serde.Int64))
	}).want(t, true, `the topology has no store "other", declared at store_test.go:`)
	watch(func(t testing.TB) {
		kstest.New(t, top).Store(store.KeyValueSpec[string, int64]{})
	}).want(t, true, "the store is the zero spec")
}
