package rows_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

// env is a task with databases and a record in hand; nothing else of it is used.
type env struct {
	graph.Env
	db         store.DB
	meta       record.Meta
	arena      record.Arena
	clock      *graph.Clock
	dropped    int
	logged     []string // what no row says, as key=value@time
	log        func(key, value []byte, time int64)
	onRollback []func()
}

func newEnv(db store.DB) *env {
	return &env{db: db, meta: record.Meta{Time: 1000}, clock: graph.NewClock(-1)}
}

func (e *env) Clock(string) *graph.Clock { return e.clock }
func (e *env) OnRollback(f func())       { e.onRollback = append(e.onRollback, f) }

func (e *env) Drop(_ *graph.Node, reason string) {
	if reason != rows.ExpiredWindow {
		panic(reason)
	}
	e.dropped++
}

func (e *env) Log(_ *decl.Store, key, value []byte, _ []record.Header, time int64) {
	e.logged = append(e.logged, fmt.Sprintf("%s=%s@%d", key, value, time))
	if e.log != nil {
		e.log(key, value, time)
	}
}

func (e *env) DB(*decl.Store) store.DB { return e.db }
func (e *env) Meta() *record.Meta      { return &e.meta }
func (e *env) Arena() *record.Arena    { return &e.arena }
func (e *env) ApplicationID() string   { return "app" }

var node = &graph.Node{ID: 7, Name: "count"}

// open opens a store of a new database, beside one whose rows must never show.
func open[K, V any](t testing.TB, key serde.Serde[K], value serde.Serde[V]) (*rows.KeyValue[K, V], *env) {
	e := newEnv(memstore.Open("below", "rows", "above"))
	t.Cleanup(func() { _ = e.db.Close() })
	for _, name := range []string{"below", "above"} {
		check(t, e.db.Set(append(e.db.Prefix(name), "other"...), []byte("none of its business")))
	}
	check(t, e.db.Commit())
	return rows.Open[K, V](e, node, store.NewKeyValue("rows", key, value).Decl()), e
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failure returns what f panics with.
func failure(t testing.TB, f func()) (p any) {
	t.Helper()
	defer func() {
		if p = recover(); p == nil {
			t.Helper()
			t.Fatal("it did not fail")
		}
	}()
	f()
	return nil
}

func wantFailure(t testing.TB, text string, f func()) {
	t.Helper()
	fail, ok := failure(t, f).(record.Failure)
	if !ok || fail.Node != 7 || !strings.Contains(fail.Err.Error(), text) || !strings.Contains(fail.Err.Error(), `"rows"`) {
		t.Fatalf("failed with %v: want node 7, the store's name and %q", fail, text)
	}
}

func show[K, V any](s iter.Seq2[K, V]) string {
	var b strings.Builder
	for k, v := range s {
		fmt.Fprint(&b, k, "=", v, " ")
	}
	return strings.TrimSpace(b.String())
}

func want[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	_, ok := s.Get("a")
	want(t, ok, false)
	s.Put("a", 1)
	e.meta.Time = 2000
	s.Put("b", 2)
	v, ok := s.Get("a")
	want(t, v, 1)
	want(t, ok, true)
	row, ok := s.GetRow("b")
	want(t, ok, true)
	want(t, row, store.Row[int64]{Value: 2, Time: time.UnixMilli(2000)})
	s.Write("b", 3, -5)
	v, ms, ok := s.Find("b")
	want(t, fmt.Sprint(v, ms, ok), "3 -5 true")
	want(t, string(s.KeyBytes()), "b")
	_, ok = s.GetRow("c")
	want(t, ok, false)
}

func TestARowIsItsTimeAndItsValueUnderThePrefix(t *testing.T) {
	s, e := open(t, serde.String, serde.Int32)
	e.meta.Time = 0x0102030405060708
	s.Put("k", 0x11121314)
	b, ok, err := e.db.Get(append(e.db.Prefix("rows"), 'k'))
	if err != nil || !ok || !bytes.Equal(b, []byte{1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14}) {
		t.Fatalf("the row is %x %v %v", b, ok, err)
	}
}

func TestPutIfAbsentAndDeleteReturnWhatWasThere(t *testing.T) {
	s, _ := open(t, serde.String, serde.Int64)
	_, found := s.PutIfAbsent("k", 1)
	want(t, found, false)
	old, found := s.PutIfAbsent("k", 2)
	want(t, fmt.Sprint(old, found), "1 true")
	old, found = s.Delete("k")
	want(t, fmt.Sprint(old, found), "1 true")
	_, found = s.Delete("k")
	want(t, found, false)
	_, found = s.Get("k")
	want(t, found, false)
}

// It is written, since a changelog may want to tell it, but it is no change.
func TestDeletingAnAbsentRowIsNoChange(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	_, found := s.Delete("k")
	want(t, found, false)
	s.Dirty(true, func(d rows.Dirty[string, int64]) { t.Errorf("%q has changed", d.Key) })
	want(t, e.db.Wrote(), true)
}

func TestANullValueDeletes(t *testing.T) {
	s, _ := open(t, serde.String, serde.Nullable(serde.Int64))
	one := int64(1)
	s.Put("k", &one)
	v, ok := s.Get("k")
	want(t, fmt.Sprint(*v, ok), "1 true")
	s.Put("k", nil)
	_, ok = s.Get("k")
	want(t, ok, false)
}

func TestScansAreInOrderAndIncludeBothEnds(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	for i, k := range []string{"b", "a", "ab", "d", "c", ""} {
		if i == 3 {
			check(t, e.db.Commit())
		}
		s.Put(k, int64(i))
	}
	want(t, show(s.All()), "=5 a=1 ab=2 b=0 c=4 d=3")
	want(t, show(s.Range("a", "c")), "a=1 ab=2 b=0 c=4")
	want(t, show(s.Reverse("a", "c")), "c=4 b=0 ab=2 a=1")
	want(t, show(s.Range("c", "a")), "")
	want(t, show(s.Prefix([]byte("a"))), "a=1 ab=2")
	want(t, show(s.Prefix([]byte("x"))), "")
	want(t, s.Len(), 6)
}

func TestAScanCanBeLeftAndRepeated(t *testing.T) {
	s, _ := open(t, serde.Int64, serde.Int64)
	for i := range int64(10) {
		s.Put(i, i)
	}
	all := s.All()
	for range 2 {
		n := 0
		for range all {
			if n++; n == 3 {
				break
			}
		}
		want(t, n, 3)
	}
}

func TestAStoreMayBeWrittenAndReadDuringAScan(t *testing.T) {
	s, _ := open(t, serde.Int64, serde.Int64)
	for i := range int64(100) {
		s.Put(i, i)
	}
	seen := int64(0)
	for k, v := range s.All() {
		want(t, k, seen)
		want(t, v, seen)
		s.Put(k, -1)
		s.Delete(k / 2)
		for range s.Range(k+1, k+2) {
		}
		seen++
	}
	want(t, seen, 100)
}

func TestAPanicDuringAScanClosesIt(t *testing.T) {
	_, e := open(t, serde.String, serde.Int64)
	closed := &closes{DB: e.db}
	e.db = closed
	s := rows.Open[string, int64](e, node, store.NewKeyValue("rows", serde.String, serde.Int64).Decl())
	s.Put("k", 1)
	failure(t, func() {
		for range s.All() {
			panic("user code")
		}
	})
	want(t, closed.n, 1)
}

// closes counts the walks that were closed.
type closes struct {
	store.DB
	n int
}

func (c *closes) Range(from, to []byte, reverse bool) store.Iter {
	return &closesIter{c.DB.Range(from, to, reverse), c}
}

type closesIter struct {
	store.Iter
	c *closes
}

func (it *closesIter) Close() error { it.c.n++; return it.Iter.Close() }

func TestDirtyRowsAreChanges(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	s.Put("changed", 1)
	s.Put("deleted", 1)
	check(t, e.db.Commit())
	s.Write("new", 5, 55)
	s.Write("changed", 2, 22)
	s.Remove("deleted")
	s.Put("brief", 1)
	s.Remove("brief")
	s.Remove("never")
	for _, c := range []struct {
		old  bool
		want string
	}{{true, "new 0 5 false true 55;changed 1 2 true true 22;deleted 1 0 true false 0;"}, {false, "new 0 5 false true 55;changed 0 2 false true 22;deleted 0 0 false false 0;"}} {
		got := ""
		s.Dirty(c.old, func(d rows.Dirty[string, int64]) {
			want(t, string(d.KeyBytes), d.Key)
			got += fmt.Sprint(d.Key, " ", d.Old, d.New, d.HasOld, d.HasNew, d.Time, ";")
		})
		want(t, got, c.want)
	}
}

func TestDirtyRowsWrittenDuringTheWalkAreVisited(t *testing.T) {
	s, _ := open(t, serde.Int64, serde.Int64)
	s.Put(0, 0)
	n := int64(0)
	s.Dirty(true, func(d rows.Dirty[int64, int64]) {
		want(t, d.Key, n)
		if n++; n < 10 {
			s.Put(n, n)
		}
	})
	want(t, n, 10)
}

func TestBytesAreNotThoseOfTheStore(t *testing.T) {
	s, e := open(t, serde.Bytes, serde.Bytes)
	s.Put([]byte("key"), []byte("one"))
	s.Put([]byte("lex"), []byte("law"))
	check(t, e.db.Commit())
	v, _ := s.Get([]byte("key"))
	var scanned [][]byte
	for k, v := range s.All() {
		scanned = append(scanned, k, v)
	}
	var before []byte
	s.Put([]byte("key"), []byte("two"))
	s.Dirty(true, func(d rows.Dirty[[]byte, []byte]) { before = d.Old })
	s.Put([]byte("key"), []byte("six"))
	check(t, e.db.Commit())
	for i := range 1000 {
		s.Put(fmt.Append(nil, i), bytes.Repeat([]byte("x"), i))
	}
	check(t, e.db.Commit())
	want(t, fmt.Sprintf("%s %s %s", v, scanned, before), "one [key one lex law] one")
}

func TestAnUndecodableRowEndsTheHandler(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	for k, v := range map[string]string{"short": "1234567", "value": "12345678abc"} {
		check(t, e.db.Set(append(e.db.Prefix("rows"), k...), []byte(v)))
	}
	wantFailure(t, "cannot be decoded", func() { s.Get("short") })
	wantFailure(t, "cannot be decoded", func() { s.Get("value") })
	wantFailure(t, "cannot be decoded", func() { show(s.All()) })
	wantFailure(t, "cannot be decoded", func() { s.Dirty(false, func(rows.Dirty[string, int64]) {}) })
	wantFailure(t, "cannot be decoded", func() { s.Delete("value") })
}

func TestAnUndecodableKeyEndsTheHandler(t *testing.T) {
	s, e := open(t, serde.Int64, serde.Int64)
	check(t, e.db.Set(append(e.db.Prefix("rows"), 1), make([]byte, 16)))
	wantFailure(t, "key cannot be decoded", func() { show(s.All()) })
}

var errSerde = errors.New("not today")

func TestWhatCannotBeEncodedEndsTheHandler(t *testing.T) {
	broken := serde.Func(func(dst []byte, v string) ([]byte, error) { return nil, errSerde }, func([]byte) (string, error) { return "", nil })
	s, _ := open(t, broken, serde.Int64)
	wantFailure(t, "not today", func() { s.Get("k") })
	wantFailure(t, "not today", func() { s.Put("k", 1) })
	wantFailure(t, "not today", func() { s.Range("k", "l") })
	v, e := open(t, serde.String, broken)
	wantFailure(t, "not today", func() { v.Put("k", "v") })
	want(t, e.db.Wrote(), false)
}

// failing is a database whose every call fails.
type failing struct{ store.DB }

var errDisk = errors.New("input/output error")

func (failing) Get([]byte) ([]byte, bool, error) { return nil, false, errDisk }
func (failing) Set(_, _ []byte) error            { return errDisk }
func (failing) Delete([]byte) error              { return errDisk }
func (f failing) Range(from, to []byte, reverse bool) store.Iter {
	return failingIter{f.DB.Range(from, to, reverse)}
}

type failingIter struct{ store.Iter }

func (it failingIter) Close() error { return errors.Join(errDisk, it.Iter.Close()) }

func TestAnErrorOfTheEngineEndsTheHandler(t *testing.T) {
	_, e := open(t, serde.String, serde.Int64)
	e.db = failing{e.db}
	s := rows.Open[string, int64](e, node, store.NewKeyValue("rows", serde.String, serde.Int64).Decl())
	for _, f := range []func(){
		func() { s.Get("k") }, func() { s.GetRow("k") }, func() { s.Put("k", 1) }, func() { s.PutIfAbsent("k", 1) },
		func() { s.Delete("k") }, func() { s.Remove("k") }, func() { s.Len() }, func() { show(s.All()) }, func() { show(s.Reverse("a", "b")) },
	} {
		wantFailure(t, "input/output error", f)
	}
}

func TestAHandleThatOutlivesItsTaskPanicsWithAnErrorThatSaysSo(t *testing.T) {
	s, e := open(t, serde.String, serde.Int64)
	s.Put("k", 1)
	check(t, e.db.Commit())
	gone := make(chan any)
	closed := make(chan struct{})
	go func() { // a goroutine of user code
		<-closed
		defer func() { gone <- recover() }()
		s.Get("k")
	}()
	check(t, e.db.Close())
	close(closed)
	if err, ok := (<-gone).(error); !ok || !errors.Is(err, store.ErrClosed) {
		t.Fatalf("panicked with %v", err)
	}
	for _, f := range []func(){func() { s.Put("k", 1) }, func() { s.Remove("k") }, func() { s.Len() }} {
		if err, ok := failure(t, f).(error); !ok || !errors.Is(err, store.ErrClosed) {
			t.Fatalf("panicked with %v", err)
		}
	}
}

// bound is a serde that depends on the topic.
type bound struct {
	serde.Serde[string]
	to *[]string
}

func (b bound) ForTopic(topic string, part serde.Part) serde.Serde[string] {
	*b.to = append(*b.to, topic+" "+part.String())
	return serde.String
}

func TestSerdesAreBoundToTheChangelog(t *testing.T) {
	var to []string
	s, _ := open[string, string](t, bound{nil, &to}, bound{nil, &to})
	s.Put("k", "v")
	want(t, strings.Join(to, " "), "app-rows-changelog key app-rows-changelog value")
}

func TestAStoreOpenedWithOtherTypesIsRefused(t *testing.T) {
	_, e := open(t, serde.String, serde.Int64)
	wantFailure(t, "not of the types", func() {
		rows.Open[string, string](e, node, store.NewKeyValue("rows", serde.String, serde.Int64).Decl())
	})
}

func TestFindAndWriteAllocateNothing(t *testing.T) {
	s, _ := open(t, serde.Int64, serde.Int64)
	s.Write(1, 1, 1)
	if n := testing.AllocsPerRun(1000, func() {
		v, time, _ := s.Find(1)
		s.Write(1, v+1, time)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// TestRowsAgreeWithAMap compares random operations with a map.
func TestRowsAgreeWithAMap(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, e := open(t, serde.Int16, serde.String)
		m := map[int16]string{}
		for n := range 2000 {
			k, v := int16(rng.IntN(50)), fmt.Sprint(n)
			switch rng.IntN(6) {
			case 0:
				s.Put(k, v)
				m[k] = v
			case 1:
				old, found := s.PutIfAbsent(k, v)
				if was, ok := m[k]; ok != found || was != old {
					t.Fatalf("seed %d: PutIfAbsent found %q %v, want %q %v", seed, old, found, was, ok)
				} else if !ok {
					m[k] = v
				}
			case 2:
				old, found := s.Delete(k)
				if was, ok := m[k]; ok != found || was != old {
					t.Fatalf("seed %d: Delete found %q %v, want %q %v", seed, old, found, was, ok)
				}
				delete(m, k)
			case 3:
				if v, ok := s.Get(k); v != m[k] || ok != (m[k] != "") {
					t.Fatalf("seed %d: %d is %q %v, want %q", seed, k, v, ok, m[k])
				}
			case 4:
				to := int16(rng.IntN(50))
				var got, want []int16
				for k, v := range s.Range(k, to) {
					if m[k] != v {
						t.Fatalf("seed %d: %d is %q, want %q", seed, k, v, m[k])
					}
					got = append(got, k)
				}
				for _, x := range slices.Sorted(maps.Keys(m)) {
					if x >= k && x <= to {
						want = append(want, x)
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: from %d to %d are %v, want %v", seed, k, to, got, want)
				}
			case 5:
				check(t, e.db.Commit())
			}
		}
		want(t, s.Len(), len(m))
	}
}
