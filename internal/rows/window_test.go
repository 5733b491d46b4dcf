package rows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/window"
)

const minute = 60_000

func newWindows(change func(d *decl.Store)) *decl.Store {
	d := store.NewWindow("rows", serde.String, serde.Int64, 10*time.Second, 10*time.Minute).Decl()
	if change != nil {
		change(d)
	}
	return d
}

func openWindow(t testing.TB, change func(d *decl.Store)) (*rows.Window[string, int64], *env) {
	e := newEnv(memstore.Open("below", "rows", "above"))
	t.Cleanup(func() { _ = e.db.Close() })
	return rows.OpenWindow[string, int64](e, node, newWindows(change)), e
}

func openSession(t testing.TB, change func(d *decl.Store)) (*rows.Session[string, int64], *env) {
	e := newEnv(memstore.Open("below", "rows", "above"))
	t.Cleanup(func() { _ = e.db.Close() })
	d := store.NewSession("rows", serde.String, serde.Int64, 10*time.Minute).Decl()
	if change != nil {
		change(d)
	}
	return rows.OpenSession[string, int64](e, node, d), e
}

// count returns how many rows a database has for the store, of whatever kind.
func count(t testing.TB, db store.DB) (n int) {
	t.Helper()
	prefix := db.Prefix("rows")
	it := db.Range(prefix, append(prefix[:len(prefix):len(prefix)], 0xff, 0xff), false)
	for it.Next() {
		n++
	}
	check(t, it.Close())
	return n
}

// What Kafka Streams 4.3.1 was seen to do with these puts: a store that keeps ten minutes, in segments of five.
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
	want(t, fmt.Sprintf("%q", e.logged), `["k\x00\x00\x00\x00\x00\t'\xbf\x00\x00\x00\x00=\x00\x00\x00\x00\x00\x00\x00\x02@7"]`)
	want(t, s.Remove("k", 9*minute), false)
	want(t, fmt.Sprintf("%q", e.logged[1:]), `["k\x00\x00\x00\x00\x00\b=`+"`"+`\x00\x00\x00\x00=@1000"]`)
	want(t, e.dropped, 2)
}

func TestSessionsThatComeTooLateAreCountedAndLogged(t *testing.T) {
	s, e := openSession(t, nil)
	s.Write("k", 19*minute, 20*minute, 1, 5)
	want(t, s.Write("k", 0, 10*minute, 2, 7), true)
	want(t, s.Write("k", 0, 10*minute-1, 2, 7), false)
	want(t, s.Remove("k", 0, 10*minute-1), false)
	_, _, found := s.Find("k", 0, 10*minute)
	want(t, found, false)
	want(t, e.dropped, 2)
	want(t, len(e.logged), 2)
}

func TestWindowsInMemoryAreRefusedAsSoonAsTheyAreHidden(t *testing.T) {
	s, e := openWindow(t, func(d *decl.Store) { d.InMemory = true })
	s.Write("k", 20*minute, 1, 5)
	want(t, s.Write("k", 10*minute+1, 2, 7), true)
	want(t, s.Write("k", 10*minute, 2, 7), false)
	want(t, e.dropped, 1)
}

// Rows are given up a segment at a time: of 100 minutes in windows of a second never more than the retention and a segment
// are left, and not one Expire per write is needed.
func TestExpiredRowsAreGivenUpSegmentBySegment(t *testing.T) {
	for kind, change := range windowStores {
		t.Run(kind, func(t *testing.T) {
			_, e := openWindow(t, change)
			db := &expiries{DB: e.db}
			e.db = db
			s := rows.OpenWindow[string, int64](e, node, newWindows(change))
			most := 0
			for i := range int64(1000) {
				s.Write("k", i*7000, i, 0)
				if i%10 == 0 {
					check(t, e.db.Commit())
					most = max(most, count(t, e.db))
				}
			}
			per := 1 // rows of a window
			if strings.Contains(kind, "by time") {
				per = 2
			}
			if limit := per * (10 + 5 + 2) * 60 / 7; most > limit || most < per*10*60/7 {
				t.Errorf("up to %d rows were held, want at most %d", most, limit)
			}
			if db.n == 0 || db.n > 1000*7/20*per+per {
				t.Errorf("Expire was called %d times", db.n)
			}
		})
	}
}

// expiries counts them.
type expiries struct {
	store.DB
	n int
}

func (x *expiries) Expire(from, to []byte) error { x.n++; return x.DB.Expire(from, to) }

func TestARemovedWindowOrSessionLeavesNothing(t *testing.T) {
	byTime := func(d *decl.Store) { d.ByTime = true }
	w, e := openWindow(t, byTime)
	w.Write("k", 5, 1, 1)
	check(t, e.db.Commit())
	want(t, count(t, e.db), 2)
	w.Remove("k", 5)
	check(t, e.db.Commit())
	want(t, count(t, e.db), 0)
	s, e := openSession(t, byTime)
	s.Write("k", 5, 6, 1, 1)
	check(t, e.db.Commit())
	want(t, count(t, e.db), 2)
	s.Remove("k", 5, 6)
	check(t, e.db.Commit())
	want(t, count(t, e.db), 0)
}

// An abort takes the giving up back, so it must be done again.
func TestRowsAreGivenUpAfterAnAbortToo(t *testing.T) {
	s, e := openWindow(t, nil)
	s.Write("k", 1000, 1, 0)
	check(t, e.db.Commit())
	s.Write("k", 30*minute, 1, 0)
	e.db.Abort()
	e.clock.Set(1000)
	for _, f := range e.onRollback {
		f()
	}
	s.Write("k", 30*minute, 1, 0)
	check(t, e.db.Commit())
	want(t, count(t, e.db), 1)
}

// load brings windows at the given starts into a store as a restore does.
func load(t testing.TB, e *env, d *decl.Store, starts ...int64) {
	t.Helper()
	var a record.Arena
	w := layout.NewWriter(e.db.Prefix("rows"))
	for i, start := range starts {
		k := window.KeySerde(serde.String, time.Second)
		b, err := k.Append(a.Tail(), window.Key[string]{Key: string(rune('a' + i)), Span: window.Between(time.UnixMilli(start), time.UnixMilli(start))})
		check(t, err)
		layout.Of(d).Rows(w, &layout.Entry{Key: append(b, 0, 0, 0, 0), Value: make([]byte, 8)})
		w.Next()
	}
	check(t, w.Err())
	check(t, e.db.Load(w.Rows(), store.Checkpoint{Changelog: "rows"}))
}

// The offsets of another application say nothing of a store's time: its rows do.
func TestWithoutAClockTheLatestRowIsTheStoresTime(t *testing.T) {
	for kind, change := range windowStores {
		t.Run(kind, func(t *testing.T) {
			s, e := openWindow(t, change)
			d := newWindows(change)
			load(t, e, d, 21*minute, 1*minute, 20*minute) // the latest is not the last of its segment
			found := 0
			s.FetchAll(0, 1<<60, func(string, int64, int64, int64) bool { found++; return true })
			want(t, s.Observed(), 21*minute)
			want(t, found, 2)
			e.clock.Set(-1) // an abort
			for _, f := range e.onRollback {
				f()
			}
			want(t, s.Observed(), 21*minute)
		})
	}
}

// Where Kafka Streams has a cache, expired rows are found in there. State that it has left was in no cache of ours.
func TestRowsOfAnotherAppDoNotLinger(t *testing.T) {
	for _, known := range []bool{true, false} {
		lingers := func(d *decl.Store) { d.Lingers = true }
		s, e := openWindow(t, lingers)
		load(t, e, newWindows(lingers), 10*minute, 20*minute, 21*minute) // the first has expired, its segment has not
		if known {
			e.clock.Set(21 * minute)
		}
		n := 0
		for _, k := range []string{"a", "b", "c"} {
			s.Fetch(k, 0, 1<<60, false, func(int64, int64, int64) bool { n++; return true })
		}
		if known {
			want(t, n, 3)
		} else {
			want(t, n, 2)
		}
	}
}

func TestRowsAheadOfTheClockAreFound(t *testing.T) {
	for kind, change := range windowStores {
		t.Run(kind, func(t *testing.T) {
			s, e := openWindow(t, change)
			load(t, e, newWindows(change), 210*7000, 204*7000) // in one segment, which the earlier one ends
			e.clock.Set(205 * 7000)
			for _, k := range []string{"a", "b"} {
				n := 0
				s.Fetch(k, 0, 1<<60, false, func(int64, int64, int64) bool { n++; return true })
				want(t, n, 1)
			}
		})
	}
}

// A window's key may have more starts between two times than it is worth to look up one by one.
func TestManyWindowsOfAKeyAreFoundAmongThoseOfAll(t *testing.T) {
	s, _ := openWindow(t, func(d *decl.Store) { d.Retention, d.Advance = time.Hour, time.Second })
	for i := range int64(3000) {
		s.Write([]string{"a", "b"}[i%2], i*1000, i, 0)
	}
	for _, reverse := range []bool{false, true} {
		n := int64(0)
		s.Fetch("b", 0, 1<<60, reverse, func(start, v, _ int64) bool {
			at := 2*n + 1
			if reverse {
				at = 2999 - 2*n
			}
			want(t, start, at*1000)
			want(t, v, at)
			n++
			return true
		})
		want(t, n, 1500)
	}
}

func TestAWindowStoreIsATableOfWindowedKeys(t *testing.T) {
	w, _ := openWindow(t, nil)
	s, _ := openSession(t, nil)
	for _, table := range []rows.Table[window.Key[string], int64]{w.Table(), s.Table()} {
		k := window.Key[string]{Key: "k", Span: window.Between(time.UnixMilli(1000), time.UnixMilli(11_000))}
		table.Write(k, 5, 7)
		id := string(table.KeyBytes())
		v, at, ok := table.Find(k)
		want(t, fmt.Sprint(v, at, ok), "5 7 true")
		n := 0
		table.Dirty(true, func(d rows.Dirty[window.Key[string], int64]) {
			want(t, d.Key, k)
			want(t, string(d.KeyBytes), id)
			want(t, fmt.Sprint(d.New, d.Time, d.HasOld), "5 7 false")
			n++
		})
		want(t, n, 1)
		table.Remove(k)
		_, _, ok = table.Find(k)
		want(t, ok, false)
	}
}

func TestWindowsAndSessionsBefore1970AreRefused(t *testing.T) {
	w, _ := openWindow(t, nil)
	s, _ := openSession(t, nil)
	wantFailure(t, "before 1970", func() { w.Write("k", -1, 1, 1) })
	wantFailure(t, "0 <= start <= end", func() { s.Write("k", -1, 1, 1, 1) })
	wantFailure(t, "0 <= start <= end", func() { s.Write("k", 2, 1, 1, 1) })
	_, _, ok := w.Find("k", -1)
	want(t, ok, false)
	_, _, ok = s.Find("k", 2, 1)
	want(t, ok, false)
}

func TestUndecodableRowsOfWindowsEndTheHandler(t *testing.T) {
	w, e := openWindow(t, nil)
	check(t, e.db.Set(append(e.db.Prefix("rows"), "short"...), make([]byte, 8)))
	all := func() { w.FetchAll(0, 1<<60, func(string, int64, int64, int64) bool { return true }) }
	wantFailure(t, "cannot be decoded", all)
	wantFailure(t, "cannot be decoded", func() { w.Dirty(false, func(rows.Dirty[window.Key[string], int64]) {}) })
	s, e := openSession(t, nil)
	check(t, e.db.Set(append(e.db.Prefix("rows"), "a session that ends before 1970 \xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"...), make([]byte, 8)))
	wantFailure(t, "cannot be decoded", func() { s.Find("k", 0, 0) })
}

func TestANullRemovesAWindowOrASession(t *testing.T) {
	d := store.NewWindow("rows", serde.String, serde.Nullable(serde.Int64), time.Second, time.Minute).Decl()
	e := newEnv(memstore.Open("rows"))
	w := rows.OpenWindow[string, *int64](e, node, d)
	w.Write("k", 5, new(int64(1)), 1)
	w.Write("k", 5, nil, 1)
	_, _, ok := w.Find("k", 5)
	want(t, ok, false)
	d = store.NewSession("rows", serde.String, serde.Nullable(serde.Int64), time.Minute).Decl()
	e = newEnv(memstore.Open("rows"))
	s := rows.OpenSession[string, *int64](e, node, d)
	s.Write("k", 5, 6, new(int64(1)), 1)
	s.Write("k", 5, 6, nil, 1)
	_, _, ok = s.Find("k", 5, 6)
	want(t, ok, false)
	want(t, s.Write("k", 90_000, 90_000, nil, 1), true)
	want(t, s.Observed(), 90_000)
}

func TestWindowsAndSessionsAllocateNothingToFindAndWrite(t *testing.T) {
	for kind, change := range windowStores {
		s, _ := openWindow(t, change)
		s.Write("k", 7000, 1, 1)
		if n := testing.AllocsPerRun(1000, func() {
			v, at, _ := s.Find("k", 7000)
			s.Write("k", 7000, v+1, at)
		}); n != 0 {
			t.Errorf("%s: %v allocations", kind, n)
		}
	}
	s, _ := openSession(t, func(d *decl.Store) { d.ByTime = true })
	s.Write("k", 1, 7000, 1, 1)
	if n := testing.AllocsPerRun(1000, func() {
		v, at, _ := s.Find("k", 1, 7000)
		s.Write("k", 1, 7000, v+1, at)
	}); n != 0 {
		t.Errorf("sessions: %v allocations", n)
	}
	// Of hopping windows a key's are looked up.
	h, _ := openWindow(t, func(d *decl.Store) { d.Advance = time.Second })
	for i := range int64(10) {
		h.Write("k", i*1000, i, 1)
	}
	n := 0
	if a := testing.AllocsPerRun(1000, func() {
		h.Fetch("k", 0, 9000, false, func(int64, int64, int64) bool { n++; return true })
	}); a != 0 || n == 0 {
		t.Errorf("fetching hopping windows: %v allocations", a)
	}
}
