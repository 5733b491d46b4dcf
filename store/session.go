package store

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/window"
)

// SessionReader reads a session store. Both bounds of a session are part of it.
//
// A store may be written while a walk over it is under way, as in KeyValueReader.
type SessionReader[K, V any] interface {
	// Get returns the value of exactly this session of a key.
	Get(key K, s window.Span) (V, bool)
	// GetRow returns the value of exactly this session of a key, and the event time it was written with.
	GetRow(key K, s window.Span) (Row[V], bool)
	// Fetch returns the sessions of a key, in the order of their ends and then of their starts.
	Fetch(key K) iter.Seq2[window.Span, V]
	// Find returns the sessions of a key that end at earliestEnd or later and start at latestStart or earlier, in the order
	// of Fetch.
	Find(key K, earliestEnd, latestStart time.Time) iter.Seq2[window.Span, V]
	// FetchAll returns the sessions of all keys that end from one time to another, both included, in the order of their
	// ends, their starts, and their keys' bytes.
	FetchAll(from, to time.Time) iter.Seq2[window.Key[K], V]
}

// Session is a store of values per key and session. Rows are written with the event time of the record in hand. Sessions
// that ended the store's retention before the latest end ever put into this task's part of it are gone, as in Window.
type Session[K, V any] interface {
	SessionReader[K, V]
	// Put writes the value of a session. A value that its serde writes as null (serde.Nullable) deletes it.
	Put(key K, s window.Span, v V)
	// Delete removes a session.
	Delete(key K, s window.Span)
}
