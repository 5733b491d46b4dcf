package overlay_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
	"github.com/millrace-streams/millrace/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOverlayKeepsThePromisesOfAStore(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for _, batch := range []int{0, 2000, 1 << 20} {
			for _, limit := range []int64{0, 64 << 10, 1 << 30} {
				t.Run(fmt.Sprintf("inline=%v/batch=%d/limit=%d", inline, batch, limit), func(t *testing.T) {
					seed := uint64(0)
					storetest.Run(t, func(t testing.TB) storetest.Disk {
						seed++
						return newDisk(t, overlay.Options{Inline: inline, Batch: batch, Limit: func() int64 { return limit }}, seed)
					})
				})
			}
		}
	}
}

// open opens a database with one store and returns what makes keys of it.
func open(t testing.TB, opts overlay.Options) (*overlay.DB, *fakeBase, func(k string) []byte) {
	d := newDisk(t, opts, 1)
	db := d.Open("a").(*overlay.DB)
	t.Cleanup(func() { _ = db.Close() })
	return db, d.base, func(k string) []byte { return append(db.Prefix("a"), k...) }
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadsSeeRowsThatAreOnTheirWayToTheBase(t *testing.T) {
	db, base, key := open(t, overlay.Options{})
	base.hold = make(chan struct{})
	check(t, db.Set(key("k"), []byte("1")))
	check(t, db.Commit())
	if v, ok, err := db.Get(key("k")); string(v) != "1" || !ok || err != nil {
		t.Fatalf("got %q %v %v", v, ok, err)
	}
	it := db.Range(nil, nil, false)
	if !it.Next() || string(it.Value()) != "1" {
		t.Fatal("a scan does not see it")
	}
	check(t, it.Close())
	close(base.hold)
}

func TestACommitDoesNotWaitForItsOwnBatch(t *testing.T) {
	db, base, key := open(t, overlay.Options{})
	base.hold = make(chan struct{}, 1)
	check(t, db.Set(key("k"), []byte("1")))
	check(t, db.Commit()) // returns while Apply waits
	check(t, db.Set(key("k"), []byte("2")))
	base.hold <- struct{}{} // lets the first go, for which the second commit waits
	check(t, db.Commit())
	close(base.hold)
	check(t, db.Flush(1))
	if v := base.now.rows[string(key("k"))]; v != "2" {
		t.Fatalf("the base has %q", v)
	}
}

func TestCommittedRowsAreHeldUntilTheyAreABatch(t *testing.T) {
	db, base, key := open(t, overlay.Options{Batch: 1000, Inline: true})
	for i := range 10 {
		check(t, db.Set(key("k"), []byte(strings.Repeat("v", 150))))
		check(t, db.Commit(store.Checkpoint{Changelog: "c", Offset: int64(i)}))
		if want := (i + 1) / 6; len(base.runs) != want { // 5 rows of 157 bytes, and 16 to sort each, stay below 1000
			t.Fatalf("%d batches after %d commits, want %d", len(base.runs), i+1, want)
		}
	}
	if base.now.cps["c"].Offset != 5 {
		t.Fatalf("the base has checkpoint %d with the rows up to 5", base.now.cps["c"].Offset)
	}
}

func TestAnErrorOfTheBaseIsReturnedByTheNextCommitAndStays(t *testing.T) {
	db, base, key := open(t, overlay.Options{})
	check(t, db.Set(key("k"), []byte("1")))
	base.hold = make(chan struct{})
	check(t, db.Commit()) // its batch waits
	check(t, db.Set(key("l"), []byte("1")))
	base.err = errBroken
	close(base.hold)
	if err := db.Commit(); !errors.Is(err, errBroken) {
		t.Fatalf("the next commit returns %v", err)
	}
	_, _, get := db.Get(key("k"))
	late := db.Range(nil, nil, false)
	for what, err := range map[string]error{
		"Get": get, "Set": db.Set(key("k"), nil), "Delete": db.Delete(key("k")), "Commit": db.Commit(), "Flush": db.Flush(1),
		"Load": db.Load(nil, store.Checkpoint{}), "Wipe": db.Wipe("a", "c"), "Range": late.Close(), "Close": db.Close(),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s returns %v", what, err)
		}
	}
	if base.disk.clean {
		t.Error("closed as clean")
	}
}

func TestARowThatCannotBeReadIsNotAnAbsentRow(t *testing.T) {
	for what, f := range map[string]func(db *overlay.DB, k []byte) error{
		"Get":    func(db *overlay.DB, k []byte) error { _, _, err := db.Get(k); return err },
		"Set":    func(db *overlay.DB, k []byte) error { return db.Set(k, nil) },
		"Delete": func(db *overlay.DB, k []byte) error { return db.Delete(k) },
		"Range":  func(db *overlay.DB, k []byte) error { return db.Range(nil, nil, false).Close() },
	} {
		db, base, key := open(t, overlay.Options{})
		base.err = errBroken
		if err := f(db, key("k")); !errors.Is(err, errBroken) {
			t.Errorf("%s returns %v", what, err)
		}
		if err := db.Commit(); !errors.Is(err, errBroken) {
			t.Errorf("after %s Commit returns %v", what, err)
		}
	}
}

func TestDirtyRowsAreCompleteAlsoAfterAnError(t *testing.T) {
	db, base, key := open(t, overlay.Options{})
	check(t, db.Set(key("k"), []byte("1")))
	check(t, db.Set(key("l"), []byte("1")))
	base.err = errBroken
	if _, _, err := db.Get(key("m")); err == nil {
		t.Fatal("no error")
	}
	n := 0
	db.Dirty(nil, func(store.Dirty) bool { n++; return true })
	if n != 2 {
		t.Fatalf("%d dirty rows: the changelog would lack the others", n)
	}
}

func TestTheTableShrinksToItsLimitAtACommit(t *testing.T) {
	value := func(i int) string { return strings.Repeat(fmt.Sprint(i), 50) }
	limit := int64(1 << 30)
	db, base, key := open(t, overlay.Options{Limit: func() int64 { return limit }})
	for i := range 20_000 {
		check(t, db.Set(key(fmt.Sprint("row ", i)), []byte(value(i))))
	}
	check(t, db.Commit())
	check(t, db.Flush(1))
	large := db.TableBytes()
	limit = 1 << 20
	hot := key("row 77")
	for range 3 { // used again, which gives it a second chance
		if _, ok, err := db.Get(hot); !ok {
			t.Fatal(err)
		}
	}
	check(t, db.Set(key("x"), nil))
	check(t, db.Commit())
	if n := db.TableBytes(); n > large/3 {
		t.Fatalf("the table has %d bytes, %d before", n, large)
	}
	for i := range 20_000 {
		if v, ok, err := db.Get(key(fmt.Sprint("row ", i))); !ok || err != nil || string(v) != value(i) {
			t.Fatalf("row %d is %q %v %v after the eviction", i, v, ok, err)
		}
	}
	if base.reads < 10_000 {
		t.Fatalf("only %d rows were read again: nothing was evicted", base.reads)
	}
}

func TestReadsBeyondTheLimitAreNotKept(t *testing.T) {
	db, base, key := open(t, overlay.Options{Limit: func() int64 { return 0 }})
	long := strings.Repeat("v", 1<<20)
	for i := range 40 {
		base.now.rows[string(key(fmt.Sprint(i)))] = fmt.Sprint(i) + long
	}
	var values [][]byte
	for i := range 40 {
		v, _, err := db.Get(key(fmt.Sprint(i)))
		check(t, err)
		values = append(values, v)
	}
	if n := db.TableBytes(); n > 10<<20 {
		t.Fatalf("reading alone made the table %d bytes", n)
	}
	for i, v := range values { // valid until a write
		if !strings.HasPrefix(string(v), fmt.Sprint(i)+"v") {
			t.Fatalf("value %d became %.9q", i, v)
		}
	}
}

func TestAStoreThatIsNeverScannedKeepsNoOrder(t *testing.T) {
	db, _, key := open(t, overlay.Options{})
	for i := range 1000 {
		check(t, db.Set(key(fmt.Sprint(i)), nil))
	}
	if n := db.Ordered(); n != 0 {
		t.Fatalf("%d rows are in order and nobody asked", n)
	}
	check(t, db.Range(nil, nil, false).Close())
	if n := db.Ordered(); n != 1000 {
		t.Fatalf("%d rows are in order", n)
	}
	check(t, db.Commit())
	check(t, db.Flush(1))
	if n := db.Ordered(); n != 0 {
		t.Fatalf("%d rows are in order and the base has them all", n)
	}
}

func TestHotRowsAllocateNothing(t *testing.T) {
	db, _, key := open(t, overlay.Options{Inline: true, Batch: 1 << 20})
	k, v := key("key"), []byte("a value")
	check(t, db.Set(k, v))
	check(t, db.Commit())
	if n := testing.AllocsPerRun(1000, func() {
		for range 10 {
			if _, ok, _ := db.Get(k); !ok {
				t.Fatal("gone")
			}
			check(t, db.Set(k, v))
		}
	}); n != 0 {
		t.Fatalf("%v allocations for 10 reads and writes of a present key", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		check(t, db.Set(k, v))
		check(t, db.Commit())
	}); n > 1 {
		t.Fatalf("%v allocations per commit", n)
	}
}

func TestInsertingRowsAllocatesLittle(t *testing.T) {
	db, _, key := open(t, overlay.Options{})
	k := key("12345678")
	n := uint64(0)
	if a := testing.AllocsPerRun(20_000, func() {
		n++
		copy(k[2:], fmt.Append(k[:2:2], n)[2:])
		check(t, db.Set(k, k))
	}); a > 3 { // one is fmt's
		t.Fatalf("%v allocations per new row", a)
	}
}

func TestASavepointOfAnotherTransactionPanics(t *testing.T) {
	db, _, key := open(t, overlay.Options{})
	check(t, db.Set(key("k"), nil))
	m := db.Mark()
	check(t, db.Commit())
	defer func() {
		if recover() == nil {
			t.Fatal("rolled back to it")
		}
	}()
	db.Rollback(m)
}

func TestARowThatIsTooLongIsRefused(t *testing.T) {
	db, _, key := open(t, overlay.Options{})
	if err := db.Set(key("k"), make([]byte, 1<<30)); err == nil {
		t.Fatal("taken")
	}
	if db.Wrote() {
		t.Fatal("dirty")
	}
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	var rows overlay.Rows
	want := []store.KV{{Key: []byte("k"), Value: []byte("v")}, {Key: []byte(""), Value: []byte("")}, {Key: []byte(strings.Repeat("k", 300))}, {Key: []byte("z"), Value: []byte(strings.Repeat("v", 70000))}}
	for _, kv := range want {
		rows = overlay.AddRow(rows, kv.Key, kv.Value, kv.Value != nil)
	}
	for _, kv := range want {
		k, v, has, rest := rows.Next()
		if !slices.Equal(k, kv.Key) || has != (kv.Value != nil) || !slices.Equal(v, kv.Value) {
			t.Fatalf("%q = %q %v, want %q = %q", k, v, has, kv.Key, kv.Value)
		}
		rows = rest
	}
	if len(rows) != 0 {
		t.Fatalf("%d bytes are left", len(rows))
	}
}

func TestANewDatabaseAsksItsBaseOnlyForWhatItHasForgotten(t *testing.T) {
	limit := int64(1 << 30)
	db, base, key := open(t, overlay.Options{New: true, Limit: func() int64 { return limit }, Inline: true})
	for i := range 2000 {
		check(t, db.Set(key(fmt.Sprint(i)), make([]byte, 100)))
		if _, ok, err := db.Get(key(fmt.Sprint("none", i))); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	check(t, db.Warm([][]byte{key("x"), key("y"), key("z"), key("u"), key("v"), key("w"), key("q"), key("r"), key("s")}))
	check(t, db.Commit())
	if base.reads > 0 {
		t.Fatalf("the base was asked %d times for rows that cannot be", base.reads)
	}
	limit = 0
	check(t, db.Set(key("one more"), nil))
	check(t, db.Commit())
	for i := range 2000 {
		if v, ok, err := db.Get(key(fmt.Sprint(i))); !ok || len(v) != 100 || err != nil {
			t.Fatalf("row %d is %v %v after it was evicted", i, ok, err)
		}
	}
	if base.reads == 0 {
		t.Fatal("nothing was evicted")
	}
}
