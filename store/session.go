package store

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/window"
)

// SessionReader reads a session store.
type SessionReader[K, V any] interface {
	// Get returns the value of exactly this session of a key.
	Get(key K, s window.Span) (V, bool)
	// Fetch returns the sessions of a key, oldest first.
	Fetch(key K) iter.Seq2[window.Span, V]
	// Find returns the sessions of a key that end at earliestEnd or later and start at latestStart or earlier.
	Find(key K, earliestEnd, latestStart time.Time) iter.Seq2[window.Span, V]
}

// Session is a store of values per key and session. Sessions older than the store's retention are gone.
type Session[K, V any] interface {
	SessionReader[K, V]
	// Put writes the value of a session.
	Put(key K, s window.Span, v V)
	// Delete removes a session.
	Delete(key K, s window.Span)
}
