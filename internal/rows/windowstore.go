package rows

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// Store returns the rows as processors get them.
func (s *Window[K, V]) Store() store.Window[K, V] { return windowStore[K, V]{s} }

type windowStore[K, V any] struct{ s *Window[K, V] }

// Get implements store.WindowReader.
func (w windowStore[K, V]) Get(k K, start time.Time) (V, bool) {
	v, _, ok := w.s.Find(k, start.UnixMilli())
	return v, ok
}

// GetRow implements store.WindowReader.
func (w windowStore[K, V]) GetRow(k K, start time.Time) (store.Row[V], bool) {
	v, ms, ok := w.s.Find(k, start.UnixMilli())
	return row(v, ms, ok)
}

func row[V any](v V, ms int64, ok bool) (store.Row[V], bool) {
	if !ok {
		return store.Row[V]{}, false
	}
	return store.Row[V]{Value: v, Time: time.UnixMilli(ms)}, true
}

// Fetch implements store.WindowReader.
func (w windowStore[K, V]) Fetch(k K, from, to time.Time) iter.Seq2[window.Span, V] {
	return w.fetch(k, from, to, false)
}

// FetchReverse implements store.WindowReader.
func (w windowStore[K, V]) FetchReverse(k K, from, to time.Time) iter.Seq2[window.Span, V] {
	return w.fetch(k, from, to, true)
}

func (w windowStore[K, V]) fetch(k K, from, to time.Time, reverse bool) iter.Seq2[window.Span, V] {
	return func(yield func(window.Span, V) bool) {
		w.s.Fetch(k, from.UnixMilli(), to.UnixMilli(), reverse, func(start int64, v V, _ int64) bool {
			return yield(w.s.Span(start), v)
		})
	}
}

// FetchRange implements store.WindowReader.
func (w windowStore[K, V]) FetchRange(fromKey, toKey K, from, to time.Time) iter.Seq2[window.Key[K], V] {
	return func(yield func(window.Key[K], V) bool) {
		w.s.FetchRange(fromKey, toKey, from.UnixMilli(), to.UnixMilli(), w.key(yield))
	}
}

// FetchAll implements store.WindowReader.
func (w windowStore[K, V]) FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V] {
	return func(yield func(window.Key[K], V) bool) {
		w.s.FetchAll(from.UnixMilli(), to.UnixMilli(), w.key(yield))
	}
}

func (w windowStore[K, V]) key(yield func(window.Key[K], V) bool) func(k K, start int64, v V, _ int64) bool {
	return func(k K, start int64, v V, _ int64) bool {
		return yield(window.Key[K]{Key: k, Span: w.s.Span(start)}, v)
	}
}

// Put implements store.Window.
func (w windowStore[K, V]) Put(k K, start time.Time, v V) {
	w.s.Write(k, start.UnixMilli(), v, w.s.env.Meta().Time)
}

// Delete implements store.Window.
func (w windowStore[K, V]) Delete(k K, start time.Time) { w.s.Remove(k, start.UnixMilli()) }

// WindowStore returns the task's rows of a window store, as processors get them, for the step at n. The store's serdes must
// be of K and V.
func WindowStore[K, V any](env graph.Env, n *graph.Node, d *decl.Store) store.Window[K, V] {
	if d.Duplicates {
		return duplicateStore[K, V]{OpenDuplicates[K, V](env, n, d), d.Size}
	}
	return OpenWindow[K, V](env, n, d).Store()
}
