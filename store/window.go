package store

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/window"
)

// WindowReader reads a window store. Bounds of time are window starts, both included.
type WindowReader[K, V any] interface {
	// Get returns the value of a key in the window that starts at the given time.
	Get(key K, start time.Time) (V, bool)
	// Fetch returns the windows of a key, oldest first.
	Fetch(key K, from, to time.Time) iter.Seq2[window.Span, V]
	// FetchRange returns the windows of the keys from one to another, both included.
	FetchRange(fromKey, toKey K, from, to time.Time) iter.Seq2[window.Key[K], V]
	// FetchAll returns the windows of all keys.
	FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V]
}

// Window is a store of values per key and window start. Windows older than the store's retention are gone.
type Window[K, V any] interface {
	WindowReader[K, V]
	// Put writes the value of a key in the window that starts at the given time.
	Put(key K, start time.Time, v V)
	// Delete removes the value of a key in the window that starts at the given time.
	Delete(key K, start time.Time)
}
