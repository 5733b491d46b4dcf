package kstream

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
)

// wire makes the two functions of a join in one task.
//
//	record of the left ──► meets the rows of the right ──► pairs
//	                   ├─► meets none: waits, or is sent if its window is over
//	                   └─► is put among the rows of the left
//
// and the same for the right. A record is put after it was joined, so that none meets itself.
func (j streamJoin[K, L, R, Out]) wire(env graph.Env, n *graph.Node, next record.Fn[K, Out], b joinBounds, this, other, shared *decl.Store, key serde.Serde[K], right serde.Serde[R]) dsl.Sides[K, L, R] {
	lefts, rights := rows.OpenDuplicates[K, L](env, n, this), rows.OpenDuplicates[K, R](env, n, other)
	l := joinSide[K, L, R, Out]{
		env: env, n: n, next: next, mine: lefts, theirs: rights, before: b.before, after: b.after,
		left: true, outer: j.leftOuter, join: func(l L, r R, ok bool) Out { return j.join(l, true, r, ok) },
		nullKey: topics.Null(key), null: topics.Null(this.Value.(serde.Serde[L])),
	}
	r := joinSide[K, R, L, Out]{
		env: env, n: n, next: next, mine: rights, theirs: lefts, before: b.after, after: b.before,
		left: false, outer: j.rightOuter, join: func(r R, l L, ok bool) Out { return j.join(l, ok, r, true) },
		nullKey: topics.Null(key), null: topics.Null(right),
	}
	if shared == nil {
		return dsl.Sides[K, L, R]{Left: l.pairs, Right: r.pairs}
	}
	w := openWaiting(env, n, next, j, b, shared, right)
	w.sides = func() int64 { return max(lefts.Time(), rights.Time()) }
	return dsl.Sides[K, L, R]{Left: outerSide(&l, w, j.rightOuter, w.rows.AddLeft), Right: outerSide(&r, w, j.leftOuter, w.rows.AddRight)}
}

// A joinSide is one side of a join in one task.
type joinSide[K, Mine, Theirs, Out any] struct {
	env           graph.Env
	n             *graph.Node
	next          record.Fn[K, Out]
	mine          *rows.Duplicates[K, Mine]
	theirs        *rows.Duplicates[K, Theirs]
	before, after int64 // how much older and newer than mine theirs may be, milliseconds
	left          bool
	outer         bool // records of this side without a partner are sent
	join          func(Mine, Theirs, bool) Out
	nullKey       func(K) bool
	null          func(Mine) bool
}

// pairs takes a record of an inner join.
func (s *joinSide[K, Mine, Theirs, Out]) pairs(m *record.Meta, k K, v Mine) {
	m.Node = int32(s.n.ID)
	saved := *m
	if !s.whole(&saved, k, v) {
		return
	}
	s.theirs.Fetch(k, saved.Time-s.before, max(saved.Time+s.after, 0), func(start int64, theirs Theirs) bool {
		*m = saved
		m.Time = max(saved.Time, start)
		s.next(m, k, s.join(v, theirs, true))
		return true
	})
	*m = saved
	s.mine.Put(k, v, true, saved.Time, saved.Time, saved.Headers)
}

// whole reports whether a record has a key and a value; one that has not is dropped. A missing value takes its place
// among the rows of its side, as in Kafka Streams.
func (s *joinSide[K, Mine, Theirs, Out]) whole(m *record.Meta, k K, v Mine) bool {
	switch {
	case s.keyless(m, k):
		s.env.Drop(s.n, dsl.NullKey)
		return false
	case s.valueless(m, v):
		s.env.Drop(s.n, dsl.NullValue)
		s.mine.Put(k, v, false, m.Time, m.Time, m.Headers)
		return false
	}
	return true
}

func (s *joinSide[K, Mine, Theirs, Out]) keyless(m *record.Meta, k K) bool {
	return m.NoKey || s.nullKey != nil && s.nullKey(k)
}

func (s *joinSide[K, Mine, Theirs, Out]) valueless(m *record.Meta, v Mine) bool {
	return m.NoValue || s.null != nil && s.null(v)
}

// outerSide makes the function of one side of a left or outer join. othersWait says whether records of the other side wait
// for a partner, add puts one of this side among those that do.
func outerSide[K, Mine, Theirs, L, R, Out any](s *joinSide[K, Mine, Theirs, Out], w *waiting[K, L, R, Out], othersWait bool, add func(time int64, k K, v Mine)) record.Fn[K, Mine] {
	var none Theirs
	return func(m *record.Meta, k K, v Mine) {
		m.Node = int32(s.n.ID)
		saved := *m
		now := w.arrive(saved.Time)
		if s.outer && s.keyless(m, k) && !s.valueless(m, v) {
			s.next(m, k, s.join(v, none, false))
			return
		}
		if !s.whole(&saved, k, v) {
			return
		}
		if saved.Time == now {
			w.send(m, &saved, s.after)
		}
		alone := s.outer
		s.theirs.Fetch(k, saved.Time-s.before, max(saved.Time+s.after, 0), func(start int64, theirs Theirs) bool {
			alone = false
			*m = saved
			if othersWait && start >= w.from {
				w.rows.Match(start, !s.left, k)
			}
			m.Time = max(saved.Time, start)
			s.next(m, k, s.join(v, theirs, true))
			return true
		})
		*m = saved
		switch {
		case !alone:
		case max(saved.Time+s.after, 0) < now: // its window is over, and nobody would look for it again
			s.next(m, k, s.join(v, none, false))
			*m = saved
		default:
			w.came(saved.Time)
			add(saved.Time, k, v)
		}
		s.mine.Put(k, v, true, saved.Time, saved.Time, saved.Headers)
	}
}
