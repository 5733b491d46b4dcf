package ktable

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// WindowStore returns the store of a windowed table, for processors and queries. A table that has none, because it is
// computed from another or kept by key (Materialize), or whose windows are sessions, is a build error.
func WindowStore[K, V any](t Table[window.Key[K], V]) store.WindowSpec[K, V] {
	return store.WindowsOf[K, V](t.own("WindowStore", decl.Window, "the table has no store of windows: take that of the step that folds them; for sessions call SessionStore"))
}

// SessionStore returns the store of a table of sessions, for processors and queries. A table that has none is a build
// error, as for WindowStore.
func SessionStore[K, V any](t Table[window.Key[K], V]) store.SessionSpec[K, V] {
	return store.SessionsOf[K, V](t.own("SessionStore", decl.Session, "the table has no store of sessions: take that of the step that folds them; for windows call WindowStore"))
}

func (t Table[K, V]) own(call string, kind decl.Kind, wrong string) *decl.Store {
	d := t.t().Own(kind)
	if d == nil {
		t.h().Builder(call).Report(graph.Caller(), call, errors.New(wrong))
	}
	return d
}
