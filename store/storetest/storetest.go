package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace-streams/millrace/store"
)

// A Disk is a place for one database, new at first.
type Disk interface {
	// Open opens the database as it was left.
	Open(stores ...string) store.DB
	// Lasting reports whether rows outlive Close.
	Lasting() bool
	// Crash leaves the database as it would be found after a crash now. The caller closes the DB that was open and looks
	// at no error of that; it is called for lasting disks only.
	Crash()
}

// Run tests that databases keep the promises of store.DB.
func Run(t *testing.T, disk func(t testing.TB) Disk) {
	some := passing
	if disk(t).Lasting() {
		some = lasting
	}
	for _, c := range slices.Concat(transactions, savepoints, dirties, ranges, checkpoints, loads, expiries, lives, some) {
		t.Run(c.name, func(t *testing.T) {
			s := &suite{TB: t, disk: disk(t)}
			s.open("a", "b")
			defer func() {
				if s.db != nil {
					s.check(s.db.Close())
				}
			}()
			c.run(s)
		})
	}
	t.Run("RandomOperationsAgreeWithAModel", func(t *testing.T) {
		for seed := range uint64(seeds()) {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { Random(t, disk(t), seed, 3000) })
		}
	})
}

func seeds() int {
	if testing.Short() {
		return 2
	}
	return 5
}

// A test is one promise.
type test struct {
	name string
	run  func(s *suite)
}

// suite is a database under test with two stores, a and b.
type suite struct {
	testing.TB
	disk Disk
	db   store.DB
}

func (s *suite) open(stores ...string) { s.db = s.disk.Open(stores...) }

// key returns a key of a store.
func (s *suite) key(name, k string) []byte {
	return append(append([]byte(nil), s.db.Prefix(name)...), k...)
}

func (s *suite) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) set(name, k, v string) { s.Helper(); s.check(s.db.Set(s.key(name, k), []byte(v))) }

func (s *suite) delete(name, k string) { s.Helper(); s.check(s.db.Delete(s.key(name, k))) }

func (s *suite) commit(cps ...store.Checkpoint) { s.Helper(); s.check(s.db.Commit(cps...)) }

// want checks the value of a key; "-" is none.
func (s *suite) want(name, k, v string) {
	s.Helper()
	value, ok, err := s.db.Get(s.key(name, k))
	s.check(err)
	if got := show(value, ok); got != v {
		s.Fatalf("%s/%s is %q, want %q", name, k, got, v)
	}
}

func show(value []byte, ok bool) string {
	if !ok {
		return "-"
	}
	return string(value)
}

// scan returns the rows of a range as k=v, without prefixes.
func (s *suite) scan(from, to []byte, reverse bool) []string {
	s.Helper()
	it := s.db.Range(from, to, reverse)
	rows := collect(it)
	s.check(it.Close())
	return rows
}

func collect(it store.Iter) []string {
	rows := []string{}
	for it.Next() {
		rows = append(rows, string(it.Key()[2:])+"="+string(it.Value()))
	}
	return rows
}

// all returns all rows of a store.
func (s *suite) all(name string) []string {
	s.Helper()
	return s.scan(s.key(name, ""), after(s.db.Prefix(name)), false)
}

func (s *suite) wantRows(got []string, want ...string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Fatalf("rows are %q, want %q", got, want)
	}
}

// after returns the first key above all with a prefix.
func after(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}

// dirty returns the dirty rows of a store as k:before>value.
func (s *suite) dirty(name string) []string {
	rows := []string{}
	s.db.Dirty(s.db.Prefix(name), func(d store.Dirty) bool {
		rows = append(rows, fmt.Sprintf("%s:%s>%s", d.Key[2:], show(d.Before, d.Had), show(d.Value, d.Has)))
		return true
	})
	return rows
}
