package rows

import (
	"iter"
	"math"
	"time"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// Store returns the rows as processors get them.
func (s *Session[K, V]) Store() store.Session[K, V] { return sessionStore[K, V]{s} }

type sessionStore[K, V any] struct{ s *Session[K, V] }

// Get implements store.SessionReader.
func (t sessionStore[K, V]) Get(k K, span window.Span) (V, bool) {
	v, _, ok := t.s.Find(k, span.Start().UnixMilli(), span.End().UnixMilli())
	return v, ok
}

// GetRow implements store.SessionReader.
func (t sessionStore[K, V]) GetRow(k K, span window.Span) (store.Row[V], bool) {
	v, ms, ok := t.s.Find(k, span.Start().UnixMilli(), span.End().UnixMilli())
	return row(v, ms, ok)
}

// Fetch implements store.SessionReader.
func (t sessionStore[K, V]) Fetch(k K) iter.Seq2[window.Span, V] {
	return t.find(k, 0, math.MaxInt64)
}

// Find implements store.SessionReader.
func (t sessionStore[K, V]) Find(k K, earliestEnd, latestStart time.Time) iter.Seq2[window.Span, V] {
	return t.find(k, earliestEnd.UnixMilli(), latestStart.UnixMilli())
}

func (t sessionStore[K, V]) find(k K, earliestEnd, latestStart int64) iter.Seq2[window.Span, V] {
	return func(yield func(window.Span, V) bool) {
		t.s.Overlapping(k, earliestEnd, latestStart, func(start, end int64, v V, _ int64) bool {
			return yield(between(start, end), v)
		})
	}
}

func between(start, end int64) window.Span {
	return window.Between(time.UnixMilli(start), time.UnixMilli(end))
}

// FetchAll implements store.SessionReader.
func (t sessionStore[K, V]) FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V] {
	return func(yield func(window.Key[K], V) bool) {
		t.s.FetchAll(from.UnixMilli(), to.UnixMilli(), func(k K, start, end int64, v V, _ int64) bool {
			return yield(window.Key[K]{Key: k, Span: between(start, end)}, v)
		})
	}
}

// Put implements store.Session.
func (t sessionStore[K, V]) Put(k K, span window.Span, v V) {
	t.s.Write(k, span.Start().UnixMilli(), span.End().UnixMilli(), v, t.s.env.Meta().Time)
}

// Delete implements store.Session.
func (t sessionStore[K, V]) Delete(k K, span window.Span) {
	t.s.Remove(k, span.Start().UnixMilli(), span.End().UnixMilli())
}
