package storetest

import "strings"

var savepoints = []test{
	{"ARollbackTakesBackTheWritesSinceItsMark", func(s *suite) {
		s.set("a", "k", "0")
		s.commit()
		s.set("a", "k", "1")
		s.set("a", "l", "1")
		m := s.db.Mark()
		s.set("a", "k", "2")
		s.delete("a", "l")
		s.set("a", "m", "2")
		s.db.Rollback(m)
		s.want("a", "k", "1")
		s.want("a", "l", "1")
		s.want("a", "m", "-")
		s.db.Abort()
		s.want("a", "k", "0")
		s.want("a", "l", "-")
	}},
	{"ARowFirstWrittenAfterTheMarkIsNoLongerDirty", func(s *suite) {
		s.set("a", "k", "1")
		s.set("b", "k", "1")
		m := s.db.Mark()
		s.set("a", "l", "1")
		s.set("b", "k", "2")
		s.set("b", "l", "1")
		s.db.Rollback(m)
		s.wantRows(s.dirty("a"), "k:->1")
		s.wantRows(s.dirty("b"), "k:->1")
		s.set("b", "l", "3")
		s.set("a", "l", "3")
		s.wantRows(s.dirty("a"), "k:->1", "l:->3")
		s.commit()
		s.wantRows(s.all("a"), "k=1", "l=3")
		s.wantRows(s.all("b"), "k=1", "l=3")
	}},
	{"ASavepointCanBeRolledBackToAgain", func(s *suite) {
		m := s.db.Mark()
		for range 3 {
			s.set("a", "k", "1")
			s.set("a", "k", "2")
			s.db.Rollback(m)
			s.want("a", "k", "-")
		}
		if s.db.Wrote() || s.db.Pending() != 0 {
			s.Fatal("the transaction is rolled back to its beginning and still wrote")
		}
	}},
	{"SavepointsNest", func(s *suite) {
		s.set("a", "k", "1")
		outer := s.db.Mark()
		s.set("a", "k", strings.Repeat("2", 100))
		inner := s.db.Mark()
		s.set("a", "k", "3")
		s.db.Rollback(inner)
		s.want("a", "k", strings.Repeat("2", 100))
		s.set("a", "k", "4")
		s.db.Rollback(outer)
		s.want("a", "k", "1")
		s.commit()
		s.want("a", "k", "1")
	}},
	{"ASavepointPerRecordKeepsTheCommittedValueOfADirtyRow", func(s *suite) {
		s.set("a", "k", "0")
		s.commit()
		for _, v := range []string{"1", "2", "3"} {
			s.db.Mark()
			s.set("a", "k", v)
		}
		s.wantRows(s.dirty("a"), "k:0>3")
	}},
}
