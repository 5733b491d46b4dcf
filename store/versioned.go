package store

import (
	"iter"
	"time"
)

// VersionedReader reads a versioned store.
type VersionedReader[K, V any] interface {
	// Get returns the newest version of a key.
	Get(key K) (Row[V], bool)
	// GetAsOf returns the version of a key that held at t.
	GetAsOf(key K, t time.Time) (Row[V], bool)
	// History returns the versions of a key that held at some time from one time to another, newest first.
	History(key K, from, to time.Time) iter.Seq[Row[V]]
}

// Versioned is a store that keeps the history of each key.
type Versioned[K, V any] interface {
	VersionedReader[K, V]
	// Put writes the version of a key that holds from the given time. It returns false if that is longer ago than the
	// store's history reaches, and changes nothing.
	Put(key K, v V, at time.Time) bool
	// Delete ends the version of a key that holds at the given time and returns it.
	Delete(key K, at time.Time) (Row[V], bool)
}
