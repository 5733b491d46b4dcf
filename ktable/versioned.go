package ktable

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/store"
)

// VersionedStore returns the store of a table made with store.History, for processors and queries. A table without one is a
// build error.
func VersionedStore[K, V any](t Table[K, V]) store.VersionedSpec[K, V] {
	s := t.Store()
	if d := s.Decl(); d == nil || d.History == 0 {
		t.h().Builder("VersionedStore").Report(graph.Caller(), "VersionedStore",
			errors.New("the table has no history of its own: make it with store.History, or call Materialize with it"))
	}
	return store.VersionsOf(s)
}
