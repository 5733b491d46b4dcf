package storetest

import (
	"fmt"

	"github.com/millrace-streams/millrace/store"
)

func (s *suite) load(offset int64, rows ...string) {
	s.Helper()
	var kvs []store.KV
	for i := 0; i < len(rows); i += 2 {
		kv := store.KV{Key: s.key("a", rows[i])}
		if rows[i+1] != "-" {
			kv.Value = []byte(rows[i+1])
		}
		kvs = append(kvs, kv)
	}
	s.check(s.db.Load(kvs, checkpoint("a", offset)))
}

var loads = []test{
	{"LoadedRowsAreCommitted", func(s *suite) {
		s.load(10, "k", "1", "l", "1", "k", "2", "m", "1", "m", "-", "e", "")
		s.wantCheckpoint("a", 10, 7)
		s.want("a", "k", "2")
		s.want("a", "m", "-")
		s.want("a", "e", "")
		s.wantRows(s.all("a"), "e=", "k=2", "l=1")
		if s.db.Wrote() {
			s.Fatal("loaded rows are dirty")
		}
		s.db.Abort()
		s.wantRows(s.all("a"), "e=", "k=2", "l=1")
		s.set("a", "k", "3")
		s.wantRows(s.dirty("a"), "k:2>3")
		s.db.Abort()
		s.want("a", "k", "2")
	}},
	{"ALoadReplacesWhatWasReadBefore", func(s *suite) {
		s.set("a", "k", "1")
		s.set("a", "l", "1")
		s.commit()
		s.check(s.db.Flush(1))
		s.want("a", "m", "-")
		s.load(10, "k", "2", "l", "-", "m", "2")
		s.want("a", "k", "2")
		s.want("a", "l", "-")
		s.want("a", "m", "2")
		s.wantRows(s.all("a"), "k=2", "m=2")
	}},
	{"LoadsAndTransactionsAlternate", func(s *suite) {
		for i := range 50 {
			s.load(int64(i), "loaded", fmt.Sprint(i), "both", fmt.Sprint("load ", i))
			s.want("a", "both", fmt.Sprint("load ", i))
			s.set("a", "both", fmt.Sprint("set ", i))
			s.set("a", "set", fmt.Sprint(i))
			if i%3 == 0 {
				s.db.Abort()
				s.want("a", "both", fmt.Sprint("load ", i))
				continue
			}
			s.commit()
			s.want("a", "both", fmt.Sprint("set ", i))
		}
		s.wantRows(s.all("a"), "both=set 49", "loaded=49", "set=49")
	}},
	{"NoLoadOrWipeWhileATransactionIsOpen", func(s *suite) {
		s.set("a", "k", "1")
		if s.db.Load(nil, checkpoint("a", 1)) == nil {
			s.Fatal("loaded into an open transaction")
		}
		if s.db.Wipe("a", "a-changelog") == nil {
			s.Fatal("wiped in an open transaction")
		}
		s.want("a", "k", "1")
	}},
	{"AWipeRemovesOneStoreAndItsCheckpoint", func(s *suite) {
		s.set("a", "k", "1")
		s.set("b", "k", "1")
		s.commit(checkpoint("a", 1), checkpoint("b", 1))
		s.check(s.db.Flush(7))
		s.set("a", "l", "1")
		s.commit(checkpoint("a", 2))
		s.check(s.db.Wipe("a", "a-changelog"))
		s.wantRows(s.all("a"))
		s.want("a", "k", "-")
		s.want("a", "l", "-")
		s.want("b", "k", "1")
		if _, ok := s.db.Checkpoint("a-changelog"); ok {
			s.Fatal("the checkpoint is still there")
		}
		s.wantCheckpoint("b", 1, 7)
		s.set("a", "l", "2")
		s.wantRows(s.dirty("a"), "l:->2")
		s.commit(checkpoint("a", 3))
		s.wantRows(s.all("a"), "l=2")
	}},
}
