package rows

import (
	"bytes"
	"iter"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// duplicateStore is a store of duplicates as processors get it.
type duplicateStore[K, V any] struct {
	s    *Duplicates[K, V]
	size time.Duration
}

func (w duplicateStore[K, V]) span(start int64) window.Span { return span(start, w.size) }

// Get implements store.WindowReader: of several values it is the first.
func (w duplicateStore[K, V]) Get(k K, start time.Time) (v V, ok bool) {
	for _, v := range w.Fetch(k, start, start) {
		return v, true
	}
	return v, false
}

// GetRow implements store.WindowReader: of several values it is the first.
func (w duplicateStore[K, V]) GetRow(k K, start time.Time) (store.Row[V], bool) {
	key, ms := w.s.appendKey([]byte{}, k), start.UnixMilli()
	for _, r := range w.rows(ms, ms, key, key) {
		at, _ := layout.Time(r.value)
		return row(w.s.read(r.value), at, true)
	}
	return store.Row[V]{}, false
}

// Fetch implements store.WindowReader.
func (w duplicateStore[K, V]) Fetch(k K, from, to time.Time) iter.Seq2[window.Span, V] {
	return func(yield func(window.Span, V) bool) {
		w.s.Fetch(k, from.UnixMilli(), to.UnixMilli(), func(start int64, v V) bool { return yield(w.span(start), v) })
	}
}

// FetchReverse implements store.WindowReader.
func (w duplicateStore[K, V]) FetchReverse(k K, from, to time.Time) iter.Seq2[window.Span, V] {
	return func(yield func(window.Span, V) bool) {
		key := w.s.appendKey([]byte{}, k)
		for _, r := range slices.Backward(w.rows(from.UnixMilli(), to.UnixMilli(), key, key)) {
			if !yield(w.span(r.at), w.s.read(r.value)) {
				return
			}
		}
	}
}

// FetchRange implements store.WindowReader.
func (w duplicateStore[K, V]) FetchRange(fromKey, toKey K, from, to time.Time) iter.Seq2[window.Key[K], V] {
	return w.all(from, to, w.s.appendKey([]byte{}, fromKey), w.s.appendKey([]byte{}, toKey))
}

// FetchAll implements store.WindowReader.
func (w duplicateStore[K, V]) FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V] {
	return w.all(from, to, nil, nil)
}

func (w duplicateStore[K, V]) all(from, to time.Time, low, high []byte) iter.Seq2[window.Key[K], V] {
	return func(yield func(window.Key[K], V) bool) {
		for _, r := range w.rows(from.UnixMilli(), to.UnixMilli(), low, high) {
			if !yield(window.Key[K]{Key: w.s.decodeKey(r.k), Span: w.span(r.at)}, w.s.read(r.value)) {
				return
			}
		}
	}
}

// rows returns the rows of keys from one to another (nil: open), ordered by start, key and arrival.
func (w duplicateStore[K, V]) rows(from, to int64, low, high []byte) (rows timed) {
	s := w.s
	observed := s.Time()
	from, to = max(from, observed-s.retention+1, 0), min(to, observed)
	if from > to {
		return nil
	}
	prefix := bytes.Clone(s.buf[:s.prefix])
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		start, number := s.tail(it.Key())
		k := it.Key()[s.prefix+layout.NumberLen : len(it.Key())-tailLen]
		if from <= start && start <= to && (low == nil || bytes.Compare(low, k) <= 0) && (high == nil || bytes.Compare(k, high) <= 0) {
			rows.add(it, start, 0, s.prefix+layout.NumberLen, len(k))
			rows[len(rows)-1].number = int64(number)
		}
		return true
	})
	rows.inOrder(func(_, _ []byte) bool { return true })
	return rows
}

// Put implements store.Window. A null is no value, but takes a number.
func (w duplicateStore[K, V]) Put(k K, start time.Time, v V) {
	w.s.Put(k, v, w.s.null == nil || !w.s.null(v), start.UnixMilli(), w.s.env.Meta().Time, nil)
}

// Delete implements store.Window: duplicates cannot be told from one another, and stay.
func (w duplicateStore[K, V]) Delete(k K, start time.Time) {
	var none V
	w.s.Put(k, none, false, start.UnixMilli(), w.s.env.Meta().Time, nil)
}
