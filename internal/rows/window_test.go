package rows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

const minute = 60_000

func openWindow(t testing.TB, change func(d *decl.Store)) (*rows.Window[string, int64], *env) {
	e := newEnv(memstore.Open("below", "rows", "above"))
	t.Cleanup(func() { _ = e.db.Close() })
	d := store.NewWindow("rows", serde.String, serde.Int64, 10*time.Second, 10*time.Minute).Decl()
	if change != nil {
		change(d)
	}
	return rows.OpenWindow[string, int64](e, node, d), e
}

func TestHiddenWindowsAreWrittenAndRefusedOnesAreCountedAndLogged(t *testing.T) {
	s, e := openWindow(t, nil)
	s.Write("k", 20*minute, 1, 5)
	for _, c := range []struct {
		start       int64
		found, took bool
		drops       int
	}{{10*minute + 1, true, true, 0}, {10 * minute, false, true, 0}, {10*minute - 1, false, false, 1}} {
		took := s.Write("k", c.start, 2, 7)
		_, _, found := s.Find("k", c.start)
		if took != c.took || found != c.found || e.dropped != c.drops {
			t.Errorf("window at %d: took %v, found %v, dropped %d; want %+v", c.start, took, found, e.dropped, c)
		}
	}
	want(t, fmt.Sprint(e.logged), "[k\x00\x00\x00\x00\x00\t'\xbf\x00\x00\x00\x00=\x00\x00\x00\x00\x00\x00\x00\x02@7]")
}
