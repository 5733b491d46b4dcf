package storetest

import "github.com/millrace-streams/millrace/store"

// checkpoint is that of the changelog of a store.
func checkpoint(name string, offset int64) store.Checkpoint {
	return store.Checkpoint{Changelog: name + "-changelog", TopicID: [16]byte{1, 2, 3}, Offset: offset, Stamp: 7}
}

func (s *suite) wantCheckpoint(name string, offset, stamp int64) {
	s.Helper()
	want := checkpoint(name, offset)
	want.Stamp = stamp
	if cp, ok := s.db.Checkpoint(want.Changelog); !ok || cp != want {
		s.Fatalf("checkpoint is %+v %v, want %+v", cp, ok, want)
	}
}

var checkpoints = []test{
	{"ACheckpointIsThatOfTheLastCommit", func(s *suite) {
		if _, ok := s.db.Checkpoint("a-changelog"); ok {
			s.Fatal("a new database has a checkpoint")
		}
		s.set("a", "k", "1")
		s.commit(checkpoint("a", 5))
		s.wantCheckpoint("a", 5, 7)
		s.commit(checkpoint("a", 6), checkpoint("b", 3))
		s.wantCheckpoint("a", 6, 7)
		s.wantCheckpoint("b", 3, 7)
		s.set("a", "k", "2")
		s.db.Abort()
		s.wantCheckpoint("a", 6, 7)
	}},
	{"AFlushStampsTheCheckpoints", func(s *suite) {
		s.commit(checkpoint("a", 5), checkpoint("b", 3))
		s.check(s.db.Flush(99))
		s.wantCheckpoint("a", 5, 99)
		s.wantCheckpoint("b", 3, 99)
	}},
	{"AFlushLeavesTheOpenTransactionOpen", func(s *suite) {
		s.set("a", "k", "1")
		s.commit(checkpoint("a", 1))
		s.set("a", "k", "2")
		s.set("a", "l", "2")
		s.check(s.db.Flush(1))
		s.want("a", "k", "2")
		s.wantRows(s.dirty("a"), "k:1>2", "l:->2")
		s.db.Abort()
		s.wantRows(s.all("a"), "k=1")
	}},
}
