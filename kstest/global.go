package kstest

import (
	"fmt"
	"slices"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/global"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	typed "github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
)

// A globalTable is a global table and what it reads.
type globalTable struct {
	*global.Table
	store *decl.Store
	topic string
}

// openGlobals makes the global tables of what their topics have.
func (d *Driver) openGlobals() {
	d.t.Helper()
	d.closeGlobals()
	for _, g := range d.plan.Globals {
		t := &globalTable{store: g.Store, topic: g.Topic, Table: global.New(global.Config{
			Global: g, DB: memstore.Open(g.Store.Name), Policy: d.options.policy,
			OnError: func(e *topology.RecordError, _ topology.Action) { d.errors = append(d.errors, e) },
			OnDrop:  func(_, reason string) { d.dropped[reason]++ },
		})}
		d.globals = append(d.globals, t)
		for p, log := range d.topic(g.Topic).partitions {
			recs := make([]record.In, 0, len(log))
			for _, r := range log {
				recs = append(recs, r.In)
			}
			if err := t.Feed(int32(p), [16]byte{}, recs, int64(len(log)), 0, true); err != nil {
				d.fail(err)
			}
		}
	}
}

func (d *Driver) closeGlobals() {
	for _, t := range d.globals {
		_ = t.Close() // in memory: it has nothing to flush
	}
	d.globals = nil
}

// follow applies a record that was written to a topic to the global tables that read it: at once, outside of transactions.
func (d *Driver) follow(topic string, partition int32, in record.In) {
	d.t.Helper()
	for _, t := range d.globals {
		if t.topic != topic {
			continue
		}
		if err := t.Feed(partition, [16]byte{}, []record.In{in}, in.Offset+1, 0, false); err != nil {
			if d.stopped = err; d.options.policy == nil {
				d.t.Fatalf("kstest: the app has stopped: %v", err)
			}
			return
		}
	}
}

// global returns the global table with a store, nil if there is none.
func (d *Driver) global(s *decl.Store) *globalTable {
	i := slices.IndexFunc(d.globals, func(t *globalTable) bool { return t.store == s })
	if i < 0 {
		return nil
	}
	return d.globals[i]
}

// dbOf returns where a task finds the rows of a store.
func (w *worker) dbOf(s *decl.Store) store.DB {
	if !s.Global {
		return w.db
	}
	if t := w.d.global(s); t != nil {
		return t.View()
	}
	return nil
}

// Global returns a global table's rows, as they are at each call until the next Crash.
func (d *Driver) Global[K, V any](g ktable.Global[K, V]) store.KeyValueReader[K, V] {
	d.t.Helper()
	s := g.Store().Decl()
	t := d.global(s)
	if t == nil {
		d.fail(fmt.Errorf("the topology has no global table %q, declared at %s", s.Name, s.At))
	}
	return typed.Open[K, V](outside{db: t.View(), app: d.options.application, arena: &record.Arena{}}, &graph.Node{Name: s.Name, At: s.At}, s)
}
