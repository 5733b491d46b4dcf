package storetest

import (
	"fmt"

	"github.com/millrace-streams/millrace/store"
)

var dirties = []test{
	{"DirtyRowsComeInOrderOfTheFirstWriteOnce", func(s *suite) {
		for _, k := range []string{"c", "a", "b", "a", "c"} {
			s.set("a", k, "1"+k)
		}
		s.wantRows(s.dirty("a"), "c:->1c", "a:->1a", "b:->1b")
		s.commit()
		s.wantRows(s.dirty("a"))
		s.set("a", "b", "2")
		s.delete("a", "c")
		s.delete("a", "never")
		s.wantRows(s.dirty("a"), "b:1b>2", "c:1c>-", "never:->-")
	}},
	{"DirtyRowsAreThoseOfOneStore", func(s *suite) {
		s.set("a", "k", "1")
		s.set("b", "k", "2")
		s.set("b", "l", "3")
		s.wantRows(s.dirty("b"), "k:->2", "l:->3")
		n := 0
		s.db.Dirty(nil, func(store.Dirty) bool { n++; return true })
		if n != 3 {
			s.Fatalf("all stores have %d dirty rows, want 3", n)
		}
		n = 0
		s.db.Dirty(s.key("b", "l"), func(store.Dirty) bool { n++; return true })
		if n != 1 {
			s.Fatalf("a longer prefix has %d dirty rows, want 1", n)
		}
	}},
	{"TheWalkOverDirtyRowsEndsWhenTold", func(s *suite) {
		s.set("a", "k", "1")
		s.set("a", "l", "1")
		n := 0
		s.db.Dirty(s.db.Prefix("a"), func(store.Dirty) bool { n++; return false })
		if n != 1 {
			s.Fatalf("called %d times after false", n)
		}
	}},
	{"RowsDirtiedDuringTheWalkAreVisited", func(s *suite) {
		s.set("a", "0", "1")
		seen := []string{}
		s.db.Dirty(s.db.Prefix("a"), func(d store.Dirty) bool {
			seen = append(seen, string(d.Key[2:]))
			if n := len(seen); n < 500 {
				s.set("a", fmt.Sprint(n), "1")
				s.set("b", fmt.Sprint(n), "1")
			}
			return true
		})
		if len(seen) != 500 || seen[499] != "499" {
			s.Fatalf("visited %d rows, want 500", len(seen))
		}
	}},
	{"ARowWrittenAsItWasIsDirty", func(s *suite) {
		s.set("a", "k", "1")
		s.commit()
		s.set("a", "k", "1")
		s.wantRows(s.dirty("a"), "k:1>1")
	}},
	{"TheCommittedValueIsKnownOfRowsNeverRead", func(s *suite) {
		for i := range 1000 {
			s.set("a", fmt.Sprint(i), fmt.Sprint(i))
		}
		s.commit()
		s.check(s.db.Flush(1))
		for i := range 1000 {
			s.set("a", fmt.Sprint(i), "new")
		}
		n := 0
		s.db.Dirty(s.db.Prefix("a"), func(d store.Dirty) bool {
			if !d.Had || string(d.Before) != fmt.Sprint(n) {
				s.Fatalf("row %d was %q", n, d.Before)
			}
			n++
			return true
		})
	}},
}
