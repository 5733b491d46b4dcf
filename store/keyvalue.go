package store

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
)

// A Row is a stored value and the event time it holds from. Until is when the next version replaced it, in a versioned
// store; zero means that it still holds.
type Row[V any] struct {
	Value V
	Time  time.Time
	Until time.Time
}

// KeyValueReader reads a key-value store. Orders are those of the keys' bytes.
//
// A store may be written while a walk over it is under way: the walk shows each row it comes to as it was when the walk
// began or as it was written since.
type KeyValueReader[K, V any] interface {
	// Get returns the value of a key.
	Get(key K) (V, bool)
	// GetRow returns the value of a key and the event time it was written with.
	GetRow(key K) (Row[V], bool)
	// Headers returns the headers of the record that wrote a key's row, in a store with the option Headers: none in others. They
	// may be used as topology.Headers, and must not be changed.
	Headers(key K) []record.Header
	// All returns all rows in ascending order.
	All() iter.Seq2[K, V]
	// Range returns the rows from one key to another, both included, in ascending order.
	Range(from, to K) iter.Seq2[K, V]
	// Reverse returns what Range returns, in descending order.
	Reverse(from, to K) iter.Seq2[K, V]
	// From returns the rows from a key on, it included, in ascending order; UpTo those up to a key, it included.
	From(from K) iter.Seq2[K, V]
	UpTo(to K) iter.Seq2[K, V]
	// Prefix returns the rows whose key bytes begin with prefix, in ascending order.
	Prefix(prefix []byte) iter.Seq2[K, V]
	// Len counts the rows, by walking over them.
	Len() int
}

// KeyValue is a store of the latest value per key. Rows are written with the event time of the record in hand.
type KeyValue[K, V any] interface {
	KeyValueReader[K, V]
	// Put writes a row. A value that its serde writes as null (serde.Nullable) deletes it.
	Put(key K, v V)
	// PutAt is Put with a time other than that of the record in hand.
	PutAt(key K, v V, at time.Time)
	// PutIfAbsent writes a row unless the key has one, which is then returned.
	PutIfAbsent(key K, v V) (old V, found bool)
	// Delete removes a row and returns what it was.
	Delete(key K) (old V, found bool)
}
