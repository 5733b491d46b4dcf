package storetest

import (
	"bytes"
	"strings"
)

var transactions = []test{
	{"WritesAreReadBackAtOnce", func(s *suite) {
		s.want("a", "k", "-")
		s.set("a", "k", "1")
		s.want("a", "k", "1")
		s.set("a", "k", "22")
		s.want("a", "k", "22")
		s.delete("a", "k")
		s.want("a", "k", "-")
		s.set("a", "k", "")
		s.want("a", "k", "")
	}},
	{"ANilValueIsAnEmptyOne", func(s *suite) {
		s.check(s.db.Set(s.key("a", "k"), nil))
		s.want("a", "k", "")
		s.commit()
		s.want("a", "k", "")
	}},
	{"StoresDoNotSeeEachOther", func(s *suite) {
		s.set("a", "k", "of a")
		s.set("b", "k", "of b")
		s.delete("a", "k")
		s.want("a", "k", "-")
		s.want("b", "k", "of b")
		if a, b := s.db.Prefix("a"), s.db.Prefix("b"); bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a) {
			s.Fatalf("one of the prefixes %x, %x begins with the other", a, b)
		}
	}},
	{"CommittedRowsStay", func(s *suite) {
		s.set("a", "k", "1")
		s.commit()
		s.want("a", "k", "1")
		s.delete("a", "k")
		s.commit()
		s.want("a", "k", "-")
	}},
	{"KeyAndValueAreCopied", func(s *suite) {
		k, v := s.key("a", "k"), []byte("1")
		s.check(s.db.Set(k, v))
		k[len(k)-1], v[0] = 'x', '2'
		s.want("a", "k", "1")
		s.want("a", "x", "-")
	}},
	{"AnAbortTakesBackEveryWrite", func(s *suite) {
		s.set("a", "kept", "1")
		s.set("a", "gone", "1")
		s.set("a", "grown", "1")
		s.commit()
		s.set("a", "kept", "2")
		s.set("a", "kept", "3")
		s.delete("a", "gone")
		s.set("a", "grown", strings.Repeat("long", 1000))
		s.set("a", "new", "1")
		s.set("a", "brief", "1")
		s.delete("a", "brief")
		s.db.Abort()
		s.want("a", "kept", "1")
		s.want("a", "gone", "1")
		s.want("a", "grown", "1")
		s.want("a", "new", "-")
		s.want("a", "brief", "-")
		s.wantRows(s.all("a"), "gone=1", "grown=1", "kept=1")
		s.wantRows(s.dirty("a"))
		if s.db.Wrote() || s.db.Pending() != 0 {
			s.Fatalf("after an abort: wrote %v, %d bytes pending", s.db.Wrote(), s.db.Pending())
		}
	}},
	{"AnAbortedTransactionLeavesNothingToTheNext", func(s *suite) {
		s.set("a", "k", "1")
		s.db.Abort()
		s.set("a", "l", "1")
		s.wantRows(s.dirty("a"), "l:->1")
		s.commit()
		s.wantRows(s.all("a"), "l=1")
	}},
	{"AnAbortAfterReadsOfAbsentKeys", func(s *suite) {
		s.want("a", "k", "-")
		s.set("a", "k", "1")
		s.db.Abort()
		s.want("a", "k", "-")
		s.set("a", "k", "2")
		s.wantRows(s.dirty("a"), "k:->2")
	}},
	{"WroteAndPendingFollowTheTransaction", func(s *suite) {
		if s.db.Wrote() || s.db.Pending() != 0 {
			s.Fatal("a new database has an open transaction")
		}
		s.set("a", "k", strings.Repeat("x", 1000))
		small := s.db.Pending()
		if !s.db.Wrote() || small < 1000 {
			s.Fatalf("a row of 1001 bytes: wrote %v, %d bytes pending", s.db.Wrote(), small)
		}
		s.set("a", "k", strings.Repeat("x", 2000))
		if s.db.Pending() <= small {
			s.Fatal("a longer value is not pending")
		}
		s.commit()
		if s.db.Wrote() || s.db.Pending() != 0 {
			s.Fatal("a committed transaction is still open")
		}
	}},
	{"LongRowsAreRows", func(s *suite) {
		long := strings.Repeat("v", 3<<20)
		s.set("a", "long", long)
		s.set("a", strings.Repeat("k", 100_000), "1")
		s.commit()
		s.want("a", "long", long)
		s.set("a", "long", "short")
		s.db.Abort()
		s.want("a", "long", long)
		s.set("a", "long", "short")
		s.commit()
		s.want("a", "long", "short")
		s.want("a", strings.Repeat("k", 100_000), "1")
	}},
	{"AStoreThatWasNotNamedHasNoPrefix", func(s *suite) {
		defer func() {
			if recover() == nil {
				s.Fatal("Prefix of an unknown store returned")
			}
		}()
		s.db.Prefix("c")
	}},
}
