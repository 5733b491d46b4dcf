package ktable

import "github.com/millrace-streams/millrace/internal/record"

// A slidingFold folds records into sliding windows, in one task. There is a window for each record that ends with it, and
// one that starts just behind it, unless that would be empty; both ends are included (KIP-450):
//
//	                     record at t
//	   t - d                  │t+1                 t+1+d
//	─────┼────────────────────┼┼─────────────────────┼─────►
//	     └────── left ────────┘└─────── right ───────┘
//
// A window is known by its start. Its row's time is the highest of its records, by which the window tells what lies in it:
// so a right window is made when its first record comes, of the row of a window that has exactly the same records.
//
// Records of the first d milliseconds since 1970 have no left window: they share [0, d].
type slidingFold[K, V, A any] struct {
	windowed[K, V, A]

	found     []slide[A] // windows found for the record in hand
	all, stop func(start int64, a A, time int64) bool
}

// A slide is a window that was found: the time is that of its latest record.
type slide[A any] struct {
	start int64
	a     A
	time  int64
}

func (s *slidingFold[K, V, A]) open() record.Fn[K, V] {
	s.all, s.stop = s.collect, s.collectBack
	return s.record
}

func (s *slidingFold[K, V, A]) record(m *record.Meta, k K, v V) {
	if s.keyless(m, k) || s.valueless(m, v) {
		return
	}
	closed := s.take(m)
	at := m.Time
	switch {
	case at+s.size < closed:
		s.refuse()
		s.done(m, k, v)
		return
	case at < s.size:
		s.early(m, k, v, closed)
		s.done(m, k, v)
		return // as in Kafka Streams, these do not look for windows to send
	}
	s.usual(m, k, v, closed)
	s.done(m, k, v)
	if s.closer != nil {
		s.closer.close(m, &s.saved, closed)
	}
}

// collect keeps a window that was found.
func (s *slidingFold[K, V, A]) collect(start int64, a A, time int64) bool {
	s.found = append(s.found, slide[A]{start, a, time})
	return true
}

// collectBack keeps windows from the latest to the first that ends before the record in hand, or with it if that has the
// record's time already: then all windows have been made that this time calls for.
func (s *slidingFold[K, V, A]) collectBack(start int64, a A, time int64) bool {
	s.collect(start, a, time)
	at, end := s.saved.Time, start+s.size
	return end > at || end == at && time < at
}

// usual folds in a record that has a left window.
func (s *slidingFold[K, V, A]) usual(m *record.Meta, k K, v V, closed int64) {
	at := m.Time
	s.found = s.found[:0]
	s.windows.Fetch(k, max(0, at-2*s.size), at+1, true, s.stop)

	var left, right bool        // the windows of the record in hand are there
	var before, behind slide[A] // windows of the records that the left and right ones begin with
	before.time, behind.time = none, none
	previous := none // time of the record before
	for i := range s.found {
		w := s.found[i]
		switch end := w.start + s.size; {
		case w.start == at+1:
			right = true
		case end > at:
			if behind.time == none {
				behind = s.copied(k, w)
			}
			s.update(m, k, v, w.start, w, true, closed)
		case end == at:
			left = true
			s.update(m, k, v, w.start, w, true, closed)
			if w.time == at {
				return
			}
			previous = w.time
		default:
			before, previous = w, w.time
		}
	}
	if previous != none && previous+1+s.size >= at && !s.has(previous+1) {
		s.create(m, k, v, previous+1, closed)
	}
	switch {
	case left:
	case previous != none && at-s.size <= previous:
		before.time = at
		s.update(m, k, v, at-s.size, before, true, closed)
	default:
		s.create(m, k, v, at-s.size, closed)
	}
	if !right && behind.time > at {
		s.copy(m, k, behind, at+1)
	}
}

// early folds in a record of the first d milliseconds.
func (s *slidingFold[K, V, A]) early(m *record.Meta, k K, v V, closed int64) {
	at := m.Time
	s.found = s.found[:0]
	s.windows.Fetch(k, 0, at+1, false, s.all)

	var shared, right bool
	var first, behind slide[A] // [0, d], and the window of the records that the right one begins with
	first.time, behind.time = none, none
	for i := range s.found {
		switch w := s.found[i]; {
		case w.start == 0:
			first, shared = w, true
		case w.start <= at:
			behind = s.copied(k, w)
			s.update(m, k, v, w.start, w, true, closed)
		default:
			right = true
		}
	}
	if behind.time == none && shared && first.time > at {
		behind = s.copied(k, first) // all of its records are later, or a window would have been found
	}
	if !right && behind.time > at {
		s.copy(m, k, behind, at+1)
	}
	if shared && first.time < at && !s.has(first.time+1) {
		s.create(m, k, v, first.time+1, closed)
	}
	if shared {
		s.update(m, k, v, 0, first, true, closed)
	} else {
		s.create(m, k, v, 0, closed)
	}
}

// none is a time that no record has.
const none = int64(-1)

// has reports whether a window was found.
func (s *slidingFold[K, V, A]) has(start int64) bool {
	for i := range s.found {
		if s.found[i].start == start {
			return true
		}
	}
	return false
}

// copied returns a window with a value of its own, since folding a record in may change it in place.
func (s *slidingFold[K, V, A]) copied(k K, w slide[A]) slide[A] {
	if s.mutable {
		w.a, _, _ = s.windows.Find(k, w.start)
	}
	return w
}

// create makes a window of the record in hand alone.
func (s *slidingFold[K, V, A]) create(m *record.Meta, k K, v V, start, closed int64) {
	a, had := s.begin(m)
	s.update(m, k, v, start, slide[A]{start: none, a: a, time: s.saved.Time}, had, closed)
}

// copy makes a window that begins with the records of another, which are those of the record in hand's right window.
func (s *slidingFold[K, V, A]) copy(m *record.Meta, k K, of slide[A], start int64) {
	s.again(m)
	s.put(m, k, start, record.Change[A]{New: of.a, HasNew: true}, of.time)
}

// update folds the record in hand into what a window has of the records before, unless the window is closed.
func (s *slidingFold[K, V, A]) update(m *record.Meta, k K, v V, start int64, of slide[A], had bool, closed int64) {
	if start+s.size < closed {
		s.refuse()
		return
	}
	s.again(m)
	a, has := s.fold1(m, k, v, of.a, had)
	if s.reread { // add may have changed the old value in place
		if of.start == none {
			of.a, _ = s.begin(m)
		} else if a, _, ok := s.windows.Find(k, of.start); ok {
			of.a = a
		}
	}
	s.put(m, k, start, record.Change[A]{Old: of.a, New: a, HasOld: had, HasNew: has}, max(m.Time, of.time))
}
