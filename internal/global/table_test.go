package global_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/global"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

var errBad = errors.New("bad bytes")

// table makes a global table whose records are bad if their value is "bad", and null if it is "null".
func table(t *testing.T) (*global.Table, store.DB, map[string]int) {
	t.Helper()
	db := memstore.Open("rows")
	g := &graph.Global{Topic: "g", Store: &decl.Store{Name: "rows", Source: "g", Global: true}, Node: &graph.Node{Name: "rows", Source: &graph.Source{}}}
	g.Check = func() func(in *record.In) (bool, error) {
		return func(in *record.In) (bool, error) {
			if string(in.Value) == "bad" {
				return false, errBad
			}
			return in.Value == nil || string(in.Value) == "null", nil
		}
	}
	dropped := map[string]int{}
	tab := global.New(global.Config{Global: g, DB: db, OnDrop: func(_, reason string) { dropped[reason]++ }})
	t.Cleanup(func() { tab.Close() })
	return tab, db, dropped
}

func in(kv string, at int64) record.In {
	k, v, ok := bytes.Cut([]byte(kv), []byte("="))
	if !ok {
		v = nil
	}
	return record.In{Key: k, Value: v, Time: at}
}

// shown lists the rows that a view shows, with their times.
func shown(t *testing.T, db store.DB, reverse bool) (all []string) {
	t.Helper()
	prefix := db.Prefix("rows")
	end := append(bytes.Clone(prefix[:len(prefix)-1]), prefix[len(prefix)-1]+1)
	it := db.Range(prefix, end, reverse)
	for it.Next() {
		all = append(all, fmt.Sprintf("%s=%s@%d", it.Key()[len(prefix):], it.Value()[8:], it.Value()[7]))
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecordsBecomeRowsAndPositionsAreKept(t *testing.T) {
	for _, restoring := range []bool{true, false} {
		tab, _, dropped := table(t)
		feed := func(partition int32, next int64, recs ...record.In) {
			t.Helper()
			if err := tab.Feed(partition, [16]byte{7}, recs, next, 99, restoring); err != nil {
				t.Fatal(err)
			}
		}
		feed(0, 5, in("a=1", 3), in("b=2", 4), in("a=3", 2), record.In{Value: []byte("x")}, in("c=4", -1))
		feed(1, 9, in("d=5", 1), in("b", 9), in("e=6", 1), in("e=null", 2))
		if got := fmt.Sprint(shown(t, tab.View(), false)); got != "[a=3@2 d=5@1]" {
			t.Errorf("rows %s", got)
		}
		if dropped["null-key"] != 1 || dropped["negative-time"] != 1 {
			t.Errorf("dropped %v", dropped)
		}
		for partition, want := range map[int32]int64{0: 5, 1: 9} {
			if at, ok := tab.Checkpoint(partition); !ok || at.Offset != want || at.TopicID != [16]byte{7} || at.Stamp != 99 {
				t.Errorf("partition %d is at %+v %v", partition, at, ok)
			}
		}
		if err := tab.Wipe(2); err != nil {
			t.Fatal(err)
		}
		if _, ok := tab.Checkpoint(1); ok || len(shown(t, tab.View(), false)) != 0 {
			t.Error("something is left after Wipe")
		}
	}
}

func TestABadRecordWithoutAPolicyIsFatal(t *testing.T) {
	tab, _, _ := table(t)
	if err := tab.Feed(0, [16]byte{}, []record.In{in("k=bad", 1)}, 1, 0, false); !errors.Is(err, errBad) {
		t.Errorf("got %v", err)
	}
}

// TestAWalkGoesOnWhereItIs: more rows than are read at once, in both directions, while others are written.
func TestAWalkGoesOnWhereItIs(t *testing.T) {
	tab, _, _ := table(t)
	var recs []record.In
	var want []string
	for i := range 1000 {
		recs = append(recs, in(fmt.Sprintf("%04d=v", i), 1))
		want = append(want, fmt.Sprintf("%04d=v@1", i))
	}
	if err := tab.Feed(0, [16]byte{}, recs, 1000, 0, true); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, tab.View(), false); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	slices.Reverse(want)
	if got := shown(t, tab.View(), true); !slices.Equal(got, want) {
		t.Errorf("backwards %d rows, want %d", len(got), len(want))
	}
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			v := tab.View()
			prefix := v.Prefix("rows")
			for i := range 200 {
				key := append(bytes.Clone(prefix), fmt.Sprintf("%04d", i*5)...)
				if b, ok, err := v.Get(key); err != nil || !ok || len(b) != 9 {
					t.Errorf("row %d: %q %v %v", i, b, ok, err)
				}
				if i%50 == 0 {
					shown(t, v, i%100 == 0)
				}
			}
		})
	}
	for i := range 200 {
		if err := tab.Feed(0, [16]byte{}, []record.In{in(fmt.Sprintf("%04d=w", i*5), 1)}, int64(1001+i), 0, false); err != nil {
			t.Error(err)
		}
	}
	reading.Wait()
}

func TestAViewTakesNoWrites(t *testing.T) {
	tab, _, _ := table(t)
	v := tab.View()
	for _, err := range []error{v.Set(nil, nil), v.Delete(nil), v.Commit(), v.Flush(0), v.Wipe("", ""), v.Load(nil, store.Checkpoint{}), v.Expire(nil, nil)} {
		if err == nil {
			t.Error("a write was taken")
		}
	}
}
