package store

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/window"
)

// WindowReader reads a window store. Bounds of time are window starts, both included. Windows of all keys come in the
// order of their starts, those that start together in the order of their keys' bytes.
//
// A store may be written while a walk over it is under way, as in KeyValueReader.
type WindowReader[K, V any] interface {
	// Get returns the value of a key in the window that starts at the given time.
	Get(key K, start time.Time) (V, bool)
	// GetRow returns the value of a key in the window that starts at the given time, and the event time it was written with.
	GetRow(key K, start time.Time) (Row[V], bool)
	// Fetch returns the windows of a key, oldest first.
	Fetch(key K, from, to time.Time) iter.Seq2[window.Span, V]
	// FetchReverse returns the windows of a key, newest first.
	FetchReverse(key K, from, to time.Time) iter.Seq2[window.Span, V]
	// FetchRange returns the windows of the keys from one to another, both included.
	FetchRange(fromKey, toKey K, from, to time.Time) iter.Seq2[window.Key[K], V]
	// FetchAll returns the windows of all keys.
	FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V]
}

// Window is a store of values per key and window start. Rows are written with the event time of the record in hand.
//
// A window that started the retention before the latest window ever put into this task's part of the store, or earlier,
// is gone: it is not read any more. One that is put so late that its segment (half the retention, and at least a minute,
// or SegmentInterval; in memory a millisecond) is gone as a whole is dropped, counted as "expired-window".
type Window[K, V any] interface {
	WindowReader[K, V]
	// Put writes the value of a key in the window that starts at the given time. A value that its serde writes as null
	// (serde.Nullable) deletes it.
	Put(key K, start time.Time, v V)
	// Delete removes the value of a key in the window that starts at the given time.
	Delete(key K, start time.Time)
}
