package storetest

func (s *suite) expire(name, from, to string) {
	s.Helper()
	s.check(s.db.Expire(s.key(name, from), s.key(name, to)))
}

// again opens the database anew. It reports whether there is anything to be found.
func (s *suite) again() bool {
	s.Helper()
	if !s.disk.Lasting() {
		s.check(s.db.Flush(1))
		return true // nothing but the base is left to ask
	}
	s.check(s.db.Close())
	s.open("a", "b")
	return true
}

// letters sets the rows a to f in both stores and commits.
func (s *suite) letters() {
	s.Helper()
	for _, name := range []string{"a", "b"} {
		for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
			s.set(name, k, "1")
		}
	}
	s.commit()
}

var expiries = []test{
	{"ExpiredRowsAreGoneAfterTheCommitAndOthersStay", func(s *suite) {
		s.letters()
		s.expire("a", "a", "c")
		s.expire("a", "a", "d")
		s.set("a", "d", "2")
		s.set("a", "b2", "late") // a row of the same transaction that has expired before it ends
		s.commit()
		s.again()
		s.wantRows(s.all("a"), "d=2", "e=1", "f=1")
		s.wantRows(s.all("b"), "a=1", "b=1", "c=1", "d=1", "e=1", "f=1")
	}},
	{"AnAbortAndARollbackTakeExpiriesBack", func(s *suite) {
		s.letters()
		s.expire("a", "a", "c")
		s.db.Abort()
		s.set("a", "f", "2")
		mark := s.db.Mark()
		s.expire("a", "a", "e")
		s.set("a", "f", "3")
		s.db.Rollback(mark)
		s.expire("b", "a", "b")
		s.commit()
		s.again()
		s.wantRows(s.all("a"), "a=1", "b=1", "c=1", "d=1", "e=1", "f=2")
		s.wantRows(s.all("b"), "b=1", "c=1", "d=1", "e=1", "f=1")
	}},
	{"RowsOfEarlierTransactionsExpireWhereverTheyAre", func(s *suite) {
		s.letters()
		s.check(s.db.Flush(1)) // on disk
		s.set("a", "b", "2")   // waiting
		s.commit()
		s.expire("a", "a", "f")
		s.commit()
		s.again()
		s.wantRows(s.all("a"), "f=1")
	}},
	{"BoundsOfExpiriesAreOfOneStore", func(s *suite) {
		for _, bounds := range [][2][]byte{
			{s.key("a", "b"), s.key("a", "a")},
			{s.key("a", "b"), s.key("b", "z")},
		} {
			if err := s.db.Expire(bounds[0], bounds[1]); err == nil {
				s.Fatalf("Expire from %x to %x went well", bounds[0], bounds[1])
			}
		}
		s.check(s.db.Expire(s.key("a", ""), after(s.db.Prefix("a"))))
		s.db.Abort()
	}},
}
