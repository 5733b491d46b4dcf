package ktable

import (
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/window"
)

// A sessionFold folds records into sessions, in one task: a record joins all sessions of its key that are at most the gap
// away into one. Both ends of a session are included.
//
//	  ├ session ┤    record      ├── session ──┤
//	──┴─────────┴──────┼─────────┴─────────────┴──►
//	            ≤ gap      ≤ gap
//	  ├──────────── becomes one ───────────────┤
//
// A session is closed once event time is more than the gap and the grace behind its end.
type sessionFold[K, V, A any] struct {
	windowed[K, V, A]

	found []session[A] // sessions found for the record in hand
	all   func(start, end int64, a A, time int64) bool
}

type session[A any] struct {
	start, end int64
	a          A
}

func (s *sessionFold[K, V, A]) open() record.Fn[K, V] {
	s.all = func(start, end int64, a A, _ int64) bool {
		s.found = append(s.found, session[A]{start, end, a})
		return true
	}
	return s.record
}

func (s *sessionFold[K, V, A]) record(m *record.Meta, k K, v V) {
	if s.keyless(m, k) {
		return
	}
	closed := s.take(m)
	if m.NoValue {
		s.valueless(m, v)
	} else {
		s.join(m, k, v, closed)
		s.done(m, k, v)
	}
	if s.closer != nil {
		s.closer.close(m, &s.saved, closed)
	}
}

// join folds a record, and the sessions it joins, into one session.
func (s *sessionFold[K, V, A]) join(m *record.Meta, k K, v V, closed int64) {
	start, end := m.Time, m.Time
	s.found = s.found[:0]
	s.sessions.Overlapping(k, m.Time-s.size, m.Time+s.size, s.all)
	a, has := s.begin(m)
	for i := range s.found {
		f := &s.found[i]
		start, end = min(start, f.start), max(end, f.end)
		m.Node = s.id
		a = s.merge(k, a, f.a, has)
		has = !s.null(a)
	}
	if end < closed {
		s.refuse()
		return
	}
	if start != m.Time || end != m.Time { // else the only session there can be stays where it is
		for i := range s.found {
			s.remove(m, k, &s.found[i])
		}
	}
	s.again(m)
	a, has = s.fold1(m, k, v, a, has)
	if s.closer != nil {
		s.closer.wrote(end)
	}
	s.keeper.Update(m, sessionKey(k, start, end), record.Change[A]{New: a, HasNew: has}, m.Time)
}

// remove removes a session that became part of another.
func (s *sessionFold[K, V, A]) remove(m *record.Meta, k K, f *session[A]) {
	s.again(m)
	if s.reread { // merge may have changed it in place
		f.a, _, _ = s.sessions.Find(k, f.start, f.end)
	}
	s.keeper.Update(m, sessionKey(k, f.start, f.end), record.Change[A]{Old: f.a, HasOld: true}, m.Time)
}

func sessionKey[K any](k K, start, end int64) window.Key[K] {
	return window.Key[K]{Key: k, Span: window.Between(time.UnixMilli(start), time.UnixMilli(end))}
}
