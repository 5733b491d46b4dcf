package kstest

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	typed "github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/store"
)

// Versions returns a versioned store, over all partitions: a processor's, or that of a table (ktable.VersionedStore). It shows
// what the processors see, with ManualCommit also what is not committed yet.
func (d *Driver) Versions[K, V any](s store.VersionedSpec[K, V]) store.VersionedReader[K, V] {
	d.t.Helper()
	have := s.Decl()
	if have == nil {
		d.fail(fmt.Errorf("the store is the zero spec: make it with store.NewVersioned"))
	}
	for _, sub := range d.plan.Subs {
		if slices.Contains(sub.Stores, have) {
			return versions[K, V]{d, have}
		}
	}
	d.fail(fmt.Errorf("the topology has no store %q, declared at %s", have.Name, have.At))
	return nil
}

// versions are those of one store, in all tasks.
type versions[K, V any] struct {
	d    *Driver
	decl *decl.Store
}

// parts returns the store's parts. A crash makes them anew, so they are not kept.
func (v versions[K, V]) parts() iter.Seq[*typed.Versioned[K, V]] {
	return func(yield func(*typed.Versioned[K, V]) bool) {
		for _, w := range v.d.workers {
			if !slices.Contains(w.sub.Stores, v.decl) {
				continue
			}
			env := outside{db: w.db, app: v.d.options.application, arena: &record.Arena{}}
			if !yield(typed.OpenVersioned[K, V](env, &graph.Node{}, v.decl)) {
				return
			}
		}
	}
}

// Get implements store.VersionedReader.
func (v versions[K, V]) Get(key K) (store.Row[V], bool) {
	for part := range v.parts() {
		if row, ok := part.Get(key); ok {
			return row, true
		}
	}
	return store.Row[V]{}, false
}

// GetAsOf implements store.VersionedReader.
func (v versions[K, V]) GetAsOf(key K, t time.Time) (store.Row[V], bool) {
	for part := range v.parts() {
		if row, ok := part.GetAsOf(key, t); ok {
			return row, true
		}
	}
	return store.Row[V]{}, false
}

// History implements store.VersionedReader.
func (v versions[K, V]) History(key K, from, to time.Time) iter.Seq[store.Row[V]] {
	return func(yield func(store.Row[V]) bool) {
		for part := range v.parts() {
			for row := range part.History(key, from, to) {
				if !yield(row) {
					return
				}
			}
		}
	}
}

// outside is as much of a task as reading its stores from outside takes.
type outside struct {
	graph.Env
	db    store.DB
	app   string
	arena *record.Arena
}

func (o outside) ApplicationID() string   { return o.app }
func (o outside) DB(*decl.Store) store.DB { return o.db }
func (o outside) Arena() *record.Arena    { return o.arena }
