package store

import (
	"iter"
	"time"
)

// VersionedReader reads a versioned store.
type VersionedReader[K, V any] interface {
	// Get returns the newest version of a key.
	Get(key K) (Row[V], bool)
	// GetAsOf returns the version of a key that held at t. There is none if t is longer ago than the store's history reaches,
	// unless the newest version held at t.
	GetAsOf(key K, t time.Time) (Row[V], bool)
	// History returns the versions of a key that held at some time from one time to another, newest first.
	History(key K, from, to time.Time) iter.Seq[Row[V]]
}

// Versioned is a store that keeps the history of each key.
type Versioned[K, V any] interface {
	VersionedReader[K, V]
	// Put writes the version of a key that holds from the given time. A value that its serde writes as null
	// (serde.Nullable) is a deletion. until is when the next version replaces it, the zero Time if it is the newest. ok is
	// false if the time is longer ago than the store's history reaches: nothing is changed.
	Put(key K, v V, at time.Time) (until time.Time, ok bool)
	// Delete ends the version of a key that holds at the given time and returns it; see Put.
	Delete(key K, at time.Time) (Row[V], bool)
}
