package dsl

import (
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/window"
)

// StoredWindows returns the table that h writes into a store of windows or of sessions.
func StoredWindows[K, A any](h Handle[window.Key[K], A], d *decl.Store) Table[window.Key[K], A] {
	t := Table[window.Key[K], A]{h: h, bases: []*decl.Store{d}, old: true}
	if d.Kind == decl.Session {
		t.view = func(env graph.Env, n *graph.Node) View[window.Key[K], A] {
			return rows.OpenSession[K, A](env, n, d).Table().Find
		}
	} else {
		t.view = func(env graph.Env, n *graph.Node) View[window.Key[K], A] {
			return rows.OpenWindow[K, A](env, n, d).Table().Find
		}
	}
	return t
}

// Own returns the store of a given kind that the table's own step writes, nil if it has none.
func (t Table[K, V]) Own(kind decl.Kind) *decl.Store {
	if t.h.n == nil {
		return nil
	}
	for _, d := range t.h.n.Stores {
		if d.Kind == kind && len(t.bases) == 1 && t.bases[0] == d {
			return d
		}
	}
	return nil
}

// MissSerdes reports whether a handle lacks a serde that a store needs, and reports it to Build, with what to do about that
// of values, unless pending says that Build knows.
func MissSerdes[K, V any](h Handle[K, V], call string, pending bool, remedy string) bool {
	key, value := h.Key(), h.Value()
	if key != nil && value != nil {
		return false
	}
	if pending {
		return true
	}
	b, at := h.Builder(call), graph.Caller()
	if key == nil {
		b.Report(at, call, fmt.Errorf("no serde for key type %v: call WithKeySerde", reflect.TypeFor[K]()))
	}
	if value == nil {
		b.Report(at, call, fmt.Errorf("no serde for value type %v: %s", reflect.TypeFor[V](), remedy))
	}
	return true
}
