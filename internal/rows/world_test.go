package rows_test

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

// engines are what keeps rows: each returns a function that opens a new database, and one that opens the last one again, nil
// if nothing of it lasts.
var engines = map[string]func(t testing.TB) (fresh, again func() store.DB){
	"memstore": func(testing.TB) (fresh, again func() store.DB) {
		return func() store.DB { return memstore.Open("below", "rows", "above") }, nil
	},
	"pebblestore": func(t testing.TB) (fresh, again func() store.DB) {
		engine := pebblestore.NewEngine(1<<20, nil)
		t.Cleanup(func() { check(t, engine.Close()) })
		dir, n := t.TempDir(), 0
		again = func() store.DB {
			db, err := engine.Open(filepath.Join(dir, strconv.Itoa(n)), []string{"below", "rows", "above"}, pebblestore.Options{})
			check(t, err)
			return db
		}
		return func() store.DB { n++; return again() }, again
	},
}

// A world is a task with one store, its changelog, and what a commit left.
type world struct {
	t            testing.TB
	rng          *rand.Rand
	d            *decl.Store
	fresh, again func() store.DB
	*env
	format    layout.Format
	log       []layout.Entry
	extra     []layout.Entry // logged in the open transaction, told by no row
	committed int64          // the clock
}

func newWorld(t testing.TB, engine string, d *decl.Store, seed uint64) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7)), d: d, format: layout.Of(d), committed: -1}
	w.fresh, w.again = engines[engine](t)
	w.open(w.fresh())
	for _, name := range []string{"below", "above"} {
		check(t, w.db.Set(append(w.db.Prefix(name), "other"...), []byte("none of its business")))
	}
	w.commit()
	t.Cleanup(func() { check(t, w.db.Close()) })
	return w
}

func (w *world) open(db store.DB) {
	w.env = newEnv(db)
	w.clock.Set(w.committed)
	w.env.log = func(key, value []byte, time int64) {
		w.extra = append(w.extra, layout.Entry{Key: key, Value: value, Time: time})
	}
}

// commit ends the transaction as a task does: dirty rows and what was logged beside them become records.
func (w *world) commit() {
	w.t.Helper()
	var a record.Arena
	prefix := w.db.Prefix("rows")
	w.db.Dirty(prefix, func(d store.Dirty) bool {
		if d.Had || d.Has {
			if e, ok := w.format.Record(&a, d.Key[len(prefix):], d.Value, d.Has, 99); ok {
				w.log = append(w.log, e)
			}
		}
		return true
	})
	w.log = append(w.log, w.extra...)
	w.extra = nil
	w.committed = w.clock.Now()
	check(w.t, w.db.Commit(store.Checkpoint{Changelog: "rows", Offset: int64(len(w.log))}))
}

func (w *world) abort() {
	w.extra = nil
	w.db.Abort()
	w.clock.Set(w.committed)
	for _, f := range w.onRollback {
		f()
	}
}

// restarts decides whether it is time for a restart.
func (w *world) restarts() bool {
	odds := 6
	if w.again != nil {
		odds = 60
	}
	return w.rng.IntN(odds) == 0
}

// restart opens the store as the next owner finds it: from the changelog alone, or on the same disk.
func (w *world) restart() {
	w.t.Helper()
	check(w.t, w.db.Close())
	w.extra = nil
	db, at := store.DB(nil), store.Checkpoint{Changelog: "rows"}
	if w.again != nil && w.rng.IntN(2) == 0 {
		db = w.again()
		at, _ = db.Checkpoint("rows")
		at.Changelog = "rows"
	} else {
		db = w.fresh()
	}
	w.open(db)
	r := changelog.NewRestore(w.d, at, int64(len(w.log)), db.Prefix("rows"), db)
	for !r.Done() {
		n := min(int64(len(w.log)), r.Position()+1+w.rng.Int64N(300))
		check(w.t, r.Feed(w.log[r.Position():n], n))
	}
}

var _ graph.Env = (*env)(nil)
