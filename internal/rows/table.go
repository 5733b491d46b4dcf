package rows

import (
	"github.com/millrace-streams/millrace/window"
)

// A Table is the rows of a store as the operators of tables need them: one per key, whatever a key is.
type Table[K, V any] interface {
	// Find returns the row of a key and the time it holds from, milliseconds.
	Find(k K) (v V, time int64, ok bool)
	// Write writes a row that holds from the given time, milliseconds.
	Write(k K, v V, time int64)
	// Remove removes a row.
	Remove(k K)
	// KeyBytes returns what tells the row that was last written or removed from others, valid until the next call.
	KeyBytes() []byte
	// Dirty calls f for each row that the open transaction wrote, in the order of the first write.
	Dirty(old bool, f func(d Dirty[K, V]))
}

var (
	_ Table[string, int64]             = (*KeyValue[string, int64])(nil)
	_ Table[window.Key[string], int64] = windowTable[string, int64]{}
	_ Table[window.Key[string], int64] = sessionTable[string, int64]{}
)

// Table returns the rows as those of a table whose keys have windows. Of a window the start counts.
func (s *Window[K, V]) Table() Table[window.Key[K], V] { return windowTable[K, V]{s} }

type windowTable[K, V any] struct{ *Window[K, V] }

func (t windowTable[K, V]) Find(k window.Key[K]) (v V, time int64, ok bool) {
	return t.Window.Find(k.Key, k.Start().UnixMilli())
}

func (t windowTable[K, V]) Write(k window.Key[K], v V, time int64) {
	t.Window.Write(k.Key, k.Start().UnixMilli(), v, time)
}

func (t windowTable[K, V]) Remove(k window.Key[K]) { t.Window.Remove(k.Key, k.Start().UnixMilli()) }

// Table returns the rows as those of a table whose keys have sessions.
func (s *Session[K, V]) Table() Table[window.Key[K], V] { return sessionTable[K, V]{s} }

type sessionTable[K, V any] struct{ *Session[K, V] }

func (t sessionTable[K, V]) Find(k window.Key[K]) (v V, time int64, ok bool) {
	return t.Session.Find(k.Key, k.Start().UnixMilli(), k.End().UnixMilli())
}

func (t sessionTable[K, V]) Write(k window.Key[K], v V, time int64) {
	t.Session.Write(k.Key, k.Start().UnixMilli(), k.End().UnixMilli(), v, time)
}

func (t sessionTable[K, V]) Remove(k window.Key[K]) {
	t.Session.Remove(k.Key, k.Start().UnixMilli(), k.End().UnixMilli())
}
