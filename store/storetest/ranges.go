package storetest

import (
	"fmt"
	"slices"
)

var ranges = []test{
	{"ARangeIsInKeyOrderFromFromToBeforeTo", func(s *suite) {
		for _, k := range []string{"d", "b", "a", "c", "bb"} {
			s.set("a", k, "1")
		}
		s.wantRows(s.scan(s.key("a", "b"), s.key("a", "d"), false), "b=1", "bb=1", "c=1")
		s.wantRows(s.scan(s.key("a", "b"), s.key("a", "d"), true), "c=1", "bb=1", "b=1")
		s.wantRows(s.scan(s.key("a", "x"), s.key("a", "z"), false))
		s.wantRows(s.scan(s.key("a", "c"), s.key("a", "b"), false))
	}},
	{"AnOpenRangeIsAllStores", func(s *suite) {
		s.set("b", "k", "2")
		s.set("a", "k", "1")
		s.commit(checkpoint("a", 1))
		s.check(s.db.Flush(1))
		s.set("b", "l", "3")
		want := []string{"k=1", "k=2", "l=3"}
		if string(s.db.Prefix("a")) > string(s.db.Prefix("b")) {
			want = []string{"k=2", "l=3", "k=1"}
		}
		s.wantRows(s.scan(nil, nil, false), want...)
		slices.Reverse(want)
		s.wantRows(s.scan(nil, nil, true), want...)
	}},
	{"ARangeMergesDirtyCommittedAndDurableRows", func(s *suite) {
		for _, k := range []string{"1", "2", "3", "4", "5", "6"} {
			s.set("a", k, "durable")
		}
		s.commit()
		s.check(s.db.Flush(1))
		s.set("a", "2", "committed")
		s.delete("a", "3")
		s.set("a", "25", "committed")
		s.commit()
		s.set("a", "4", "dirty")
		s.delete("a", "5")
		s.set("a", "0", "dirty")
		s.set("a", "7", "dirty")
		want := []string{"0=dirty", "1=durable", "2=committed", "25=committed", "4=dirty", "6=durable", "7=dirty"}
		s.wantRows(s.all("a"), want...)
		slices.Reverse(want)
		s.wantRows(s.scan(s.key("a", ""), after(s.db.Prefix("a")), true), want...)
		s.db.Abort()
		s.wantRows(s.all("a"), "1=durable", "2=committed", "25=committed", "4=durable", "5=durable", "6=durable")
	}},
	{"ARowNotWrittenDuringTheWalkIsShown", func(s *suite) {
		want := 0
		for i := range 400 {
			s.set("a", fmt.Sprintf("%03d", i), "old")
			if i%100 == 99 {
				s.commit()
			}
		}
		for _, reverse := range []bool{false, true} {
			it := s.db.Range(s.key("a", ""), after(s.db.Prefix("a")), reverse)
			want = 0
			for it.Next() {
				k := string(it.Key()[2:])
				if i := fmt.Sprintf("%03d", want); !reverse && k != i {
					s.Fatalf("row %q after %d rows", k, want)
				}
				want++
				switch want % 50 { // writes to rows it has shown, and what makes rows change their place
				case 10:
					s.set("a", k, "new")
				case 20:
					s.commit()
				case 30:
					s.check(s.db.Flush(1))
				case 40:
					s.set("a", k+"x", "new")
					s.scan(nil, nil, false)
					s.db.Abort()
				}
			}
			s.check(it.Close())
			if want != 400 {
				s.Fatalf("%d of 400 rows were shown, reverse %v", want, reverse)
			}
		}
	}},
	{"KeyAndValueOfAWalkAreNotChangedByWrites", func(s *suite) {
		s.set("a", "k", "old")
		it := s.db.Range(nil, nil, false)
		it.Next()
		k, v := it.Key(), it.Value()
		s.set("a", "k", "new")
		if string(k[2:]) != "k" || string(v) != "old" {
			s.Fatalf("the walk stands at %q = %q", k[2:], v)
		}
		s.check(it.Close())
	}},
	{"AWalkMayBeLeftOpen", func(s *suite) {
		s.set("a", "k", "1")
		s.commit()
		it := s.db.Range(nil, nil, false)
		s.check(s.db.Close())
		if it.Next() {
			s.Fatal("a row of a closed database")
		}
		s.db = nil
	}},
}
