package kstest

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	typed "github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// Windows returns a window store, over all partitions: a processor's, or that of a windowed table (ktable.WindowStore). It
// shows what the processors see, with ManualCommit also what is not committed yet; what expired is judged in each partition
// by itself. A value put here has the clock's time, goes to the partition of its key, and is committed like one written by a
// processor.
func (d *Driver) Windows[K, V any](s store.WindowSpec[K, V]) store.Window[K, V] {
	d.t.Helper()
	return windows[K, V]{partsOf[K](d, s.Decl(), "store.NewWindow", func(env graph.Env, n *graph.Node) store.Window[K, V] {
		return typed.WindowStore[K, V](env, n, s.Decl())
	})}
}

// windows are those of one store, in all tasks.
type windows[K, V any] struct{ *parts[K, store.Window[K, V]] }

// Get implements store.WindowReader.
func (w windows[K, V]) Get(key K, start time.Time) (v V, ok bool) {
	w.d.t.Helper()
	row, ok := w.GetRow(key, start)
	return row.Value, ok
}

// GetRow implements store.WindowReader.
func (w windows[K, V]) GetRow(key K, start time.Time) (row store.Row[V], ok bool) {
	w.d.t.Helper()
	for part := range w.all() {
		if row, ok = part.GetRow(key, start); ok {
			return row, true
		}
	}
	return row, false
}

// Fetch implements store.WindowReader.
func (w windows[K, V]) Fetch(key K, from, to time.Time) iter.Seq2[window.Span, V] {
	return gather(w.all(), func(p store.Window[K, V]) iter.Seq2[window.Span, V] { return p.Fetch(key, from, to) }, bySpan)
}

// FetchReverse implements store.WindowReader.
func (w windows[K, V]) FetchReverse(key K, from, to time.Time) iter.Seq2[window.Span, V] {
	return gather(w.all(), func(p store.Window[K, V]) iter.Seq2[window.Span, V] { return p.FetchReverse(key, from, to) },
		func(a, b window.Span) int { return bySpan(b, a) })
}

// FetchRange implements store.WindowReader.
func (w windows[K, V]) FetchRange(fromKey, toKey K, from, to time.Time) iter.Seq2[window.Key[K], V] {
	return gather(w.all(), func(p store.Window[K, V]) iter.Seq2[window.Key[K], V] { return p.FetchRange(fromKey, toKey, from, to) }, w.byTime)
}

// FetchAll implements store.WindowReader.
func (w windows[K, V]) FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V] {
	return gather(w.all(), func(p store.Window[K, V]) iter.Seq2[window.Key[K], V] { return p.FetchAll(from, to) }, w.byTime)
}

// Put implements store.Window.
func (w windows[K, V]) Put(key K, start time.Time, v V) {
	w.d.t.Helper()
	w.change(key, func(p store.Window[K, V]) { p.Put(key, start, v) })
}

// Delete implements store.Window.
func (w windows[K, V]) Delete(key K, start time.Time) {
	w.d.t.Helper()
	w.change(key, func(p store.Window[K, V]) { p.Delete(key, start) })
}

// Sessions returns a session store, over all partitions: a processor's, or that of a table of sessions
// (ktable.SessionStore). It shows and takes rows as Windows does.
func (d *Driver) Sessions[K, V any](s store.SessionSpec[K, V]) store.Session[K, V] {
	d.t.Helper()
	return sessions[K, V]{partsOf[K](d, s.Decl(), "store.NewSession", func(env graph.Env, n *graph.Node) store.Session[K, V] {
		return typed.OpenSession[K, V](env, n, s.Decl()).Store()
	})}
}

// sessions are those of one store, in all tasks.
type sessions[K, V any] struct{ *parts[K, store.Session[K, V]] }

// Get implements store.SessionReader.
func (s sessions[K, V]) Get(key K, span window.Span) (V, bool) {
	s.d.t.Helper()
	row, ok := s.GetRow(key, span)
	return row.Value, ok
}

// GetRow implements store.SessionReader.
func (s sessions[K, V]) GetRow(key K, span window.Span) (row store.Row[V], ok bool) {
	s.d.t.Helper()
	for part := range s.all() {
		if row, ok = part.GetRow(key, span); ok {
			return row, true
		}
	}
	return row, false
}

// Fetch implements store.SessionReader.
func (s sessions[K, V]) Fetch(key K) iter.Seq2[window.Span, V] {
	return gather(s.all(), func(p store.Session[K, V]) iter.Seq2[window.Span, V] { return p.Fetch(key) }, byEnd)
}

// Find implements store.SessionReader.
func (s sessions[K, V]) Find(key K, earliestEnd, latestStart time.Time) iter.Seq2[window.Span, V] {
	return gather(s.all(), func(p store.Session[K, V]) iter.Seq2[window.Span, V] { return p.Find(key, earliestEnd, latestStart) }, byEnd)
}

// FetchAll implements store.SessionReader.
func (s sessions[K, V]) FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V] {
	return gather(s.all(), func(p store.Session[K, V]) iter.Seq2[window.Key[K], V] { return p.FetchAll(from, to) }, s.byTime)
}

// Put implements store.Session.
func (s sessions[K, V]) Put(key K, span window.Span, v V) {
	s.d.t.Helper()
	s.change(key, func(p store.Session[K, V]) { p.Put(key, span, v) })
}

// Delete implements store.Session.
func (s sessions[K, V]) Delete(key K, span window.Span) {
	s.d.t.Helper()
	s.change(key, func(p store.Session[K, V]) { p.Delete(key, span) })
}

// bySpan orders windows of a key, byEnd sessions.
func bySpan(a, b window.Span) int {
	return cmp.Or(a.Start().Compare(b.Start()), a.End().Compare(b.End()))
}

func byEnd(a, b window.Span) int {
	return cmp.Or(a.End().Compare(b.End()), a.Start().Compare(b.Start()))
}

// gather walks over the rows of all parts of a store in one order.
func gather[S, K, V any](parts iter.Seq[S], rows func(S) iter.Seq2[K, V], order func(a, b K) int) iter.Seq2[K, V] {
	type row struct {
		k K
		v V
	}
	return func(yield func(K, V) bool) {
		var all []row
		for p := range parts {
			for k, v := range rows(p) {
				all = append(all, row{k, v})
			}
		}
		slices.SortStableFunc(all, func(a, b row) int { return order(a.k, b.k) })
		for _, r := range all {
			if !yield(r.k, r.v) {
				return
			}
		}
	}
}
