package storetest

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/store"
)

// lives are the promises about closing and opening again.
var lives = []test{
	{"AClosedDatabaseRefusesEverything", func(s *suite) {
		s.set("a", "k", "1")
		s.commit()
		it := s.db.Range(nil, nil, false)
		s.check(s.db.Close())
		k := []byte{0, 1, 'k'}
		_, _, get := s.db.Get(k)
		late := s.db.Range(nil, nil, false)
		if late.Next() || it.Next() {
			s.Fatal("a walk over a closed database")
		}
		for what, err := range map[string]error{
			"Get": get, "Set": s.db.Set(k, nil), "Delete": s.db.Delete(k), "Commit": s.db.Commit(), "Flush": s.db.Flush(1),
			"Load": s.db.Load(nil, store.Checkpoint{}), "Wipe": s.db.Wipe("a", "x"), "Range": late.Close(),
		} {
			if !errors.Is(err, store.ErrClosed) {
				s.Errorf("%s of a closed database returns %v", what, err)
			}
		}
		s.db.Abort()
		s.db.Dirty(nil, func(store.Dirty) bool { s.Error("a closed database has dirty rows"); return false })
		s.check(s.db.Close())
		s.db = nil
	}},
	{"ANewDatabaseIsClean", func(s *suite) {
		if !s.db.Clean() {
			s.Fatal("a new database is not clean")
		}
	}},
	{"SizeGrowsWithTheRows", func(s *suite) {
		before := s.db.Size()
		for i := range 1000 {
			s.set("a", fmt.Sprint(i, "-row-", i*i*i), fmt.Sprint(i*i*i*7919))
		}
		s.commit()
		s.check(s.db.Flush(1))
		if s.db.Size() <= before {
			s.Fatalf("size went from %d to %d with 1000 rows", before, s.db.Size())
		}
	}},
}

// What only databases promise whose rows outlive Close.
var lasting = []test{
	{"AWipeLasts", func(s *suite) {
		s.set("a", "k", "1")
		s.set("b", "k", "1")
		s.commit(checkpoint("a", 1), checkpoint("b", 1))
		s.check(s.db.Close())
		s.open("a", "b")
		s.check(s.db.Wipe("a", "a-changelog"))
		s.check(s.db.Close())
		s.open("a", "b")
		s.wantRows(s.all("a"))
		if _, ok := s.db.Checkpoint("a-changelog"); ok {
			s.Fatal("the checkpoint is back")
		}
		s.wantRows(s.all("b"), "k=1")
		s.wantCheckpoint("b", 1, 7)
	}},
	{"CloseDropsTheOpenTransactionAndKeepsTheRest", func(s *suite) {
		s.set("a", "k", "1")
		s.set("b", "k", "2")
		s.commit(checkpoint("a", 4))
		s.load(5, "l", "1")
		s.set("a", "k", "dropped")
		a, b := s.key("a", ""), s.key("b", "")
		s.check(s.db.Close())
		s.open("b", "c", "a")
		if !s.db.Clean() {
			s.Fatal("closed in order and not clean")
		}
		s.wantRows(s.all("a"), "k=1", "l=1")
		s.wantRows(s.all("b"), "k=2")
		s.wantRows(s.all("c"))
		s.wantCheckpoint("a", 5, 7)
		if string(s.key("a", "")) != string(a) || string(s.key("b", "")) != string(b) {
			s.Fatal("a prefix changed with the opening")
		}
		s.set("c", "k", "3")
		s.commit()
		s.check(s.db.Close())
		s.open("b") // rows of stores that are not named stay
		s.set("b", "k", "3")
		s.commit()
		s.check(s.db.Close())
		s.open("a", "c")
		s.wantRows(s.all("a"), "k=1", "l=1")
		s.wantRows(s.all("c"), "k=3")
	}},
	{"AfterACrashTheDatabaseIsNotClean", func(s *suite) {
		for range 2 { // new, and after a clean stop
			s.set("a", "k", "1")
			s.commit(checkpoint("a", 4))
			s.disk.Crash()
			_ = s.db.Close()
			s.open("a", "b")
			if s.db.Clean() {
				s.Fatal("crashed and clean")
			}
			s.check(s.db.Close())
			s.open("a", "b")
			if !s.db.Clean() {
				s.Fatal("closed in order after a crash, and not clean")
			}
		}
	}},
	{"AFlushSurvivesACrash", func(s *suite) {
		for i := range 20 {
			s.set("a", fmt.Sprint("k", i), "1")
			s.commit(checkpoint("a", int64(i)))
			s.check(s.db.Flush(int64(100 + i)))
			s.set("a", "uncommitted", "1")
			s.disk.Crash()
			_ = s.db.Close()
			s.open("a", "b")
			s.wantCheckpoint("a", int64(i), int64(100+i))
			s.want("a", fmt.Sprint("k", i), "1")
			s.want("a", "uncommitted", "-")
		}
	}},
}

// What only databases promise whose rows do not.
var passing = []test{
	{"CloseLosesEverythingInMemory", func(s *suite) {
		s.set("a", "k", "1")
		s.commit(checkpoint("a", 4))
		s.check(s.db.Close())
		s.open("a", "b")
		s.wantRows(s.all("a"))
		if _, ok := s.db.Checkpoint("a-changelog"); ok || !s.db.Clean() {
			s.Fatal("something was kept, or it is not clean")
		}
	}},
}
