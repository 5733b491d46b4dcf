package kstest_test

import (
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

// A remembered database outlives its closing, and counts the rows that changelogs bring.
type remembered struct {
	store.DB
	loaded *int
}

func (r remembered) Load(rows []store.KV, at store.Checkpoint) error {
	*r.loaded += len(rows)
	return r.DB.Load(rows, at)
}

func (r remembered) Close() error {
	r.Abort()
	return nil
}

// A database that comes back with its rows gets what its checkpoint lacks, and nothing twice; an empty one gets all.
func TestDatabasesThatComeBackGoOnFromTheirCheckpoints(t *testing.T) {
	for _, empty := range []bool{false, true} {
		var db store.DB
		loaded := 0
		top, prices := priced()
		d := kstest.New(t, top, kstest.Databases(func(stores ...string) (store.DB, error) {
			if db == nil || empty {
				db = memstore.Open(stores...)
			}
			return remembered{db, &loaded}, nil
		}))
		for i, k := range []string{"a", "b", "a", "c"} {
			d.Input(counts).Send(k, int64(i))
		}
		d.Input(counts).Delete("c")
		want := 0
		if empty {
			want = 5
		}
		if d.Crash(); loaded != want {
			t.Errorf("empty %v: %d rows were restored, want %d", empty, loaded, want)
		}
		if rows := d.Table(prices); rows.Len() != 2 {
			t.Errorf("empty %v: %d rows, want 2", empty, rows.Len())
		}
		d.Input(lines).Send("a", "x")
		d.Output(loud).Expect(kstest.KV("a", "x2 true"))
	}
}
