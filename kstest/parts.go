package kstest

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// parts are those of one store in all tasks: an S each.
type parts[K, S any] struct {
	d    *Driver
	decl *decl.Store
	key  serde.Serde[K]
	open func(env graph.Env, n *graph.Node) S
}

// partsOf finds a store. made is what its spec is made with.
func partsOf[K, S any](d *Driver, have *decl.Store, made string, open func(env graph.Env, n *graph.Node) S) *parts[K, S] {
	d.t.Helper()
	if have == nil {
		d.fail(fmt.Errorf("the store is the zero spec: make it with %s", made))
	}
	for _, sub := range d.plan.Subs {
		if slices.Contains(sub.Stores, have) {
			return &parts[K, S]{d, have, topics.Bind(have.Key.(serde.Serde[K]), graph.Changelog(d.options.application, have), serde.Key), open}
		}
	}
	d.fail(fmt.Errorf("the topology has no store %q, declared at %s", have.Name, have.At))
	return nil
}

// workers returns the tasks that have a part. A crash makes them anew, so they are not kept.
func (p *parts[K, S]) workers() (ws []*worker) {
	for _, w := range p.d.workers {
		if slices.Contains(w.sub.Stores, p.decl) {
			ws = append(ws, w)
		}
	}
	return ws
}

// all returns the parts.
func (p *parts[K, S]) all() iter.Seq[S] {
	return func(yield func(S) bool) {
		p.d.t.Helper()
		for _, w := range p.workers() {
			if !p.within(w, func(part S) bool { return yield(part) }) {
				return
			}
		}
	}
}

// within calls f with the part of one task. What ends a handler in there ends the test here.
func (p *parts[K, S]) within(w *worker, f func(part S) bool) (more bool) {
	p.d.t.Helper()
	defer func() {
		p.d.t.Helper()
		switch failed := recover().(type) {
		case nil:
		case record.Failure:
			p.d.fail(failed.Err)
		default:
			panic(failed)
		}
	}()
	env := inside{Env: w.task.Env(), db: w.db, meta: &record.Meta{Time: p.d.now.UnixMilli()}}
	return f(p.open(env, &graph.Node{Name: p.decl.Name}))
}

// change has f write to the part that a key belongs to.
func (p *parts[K, S]) change(k K, f func(part S)) {
	p.d.t.Helper()
	p.d.usable()
	ws := p.workers()
	if len(ws) == 0 {
		p.d.fail(fmt.Errorf("store %q: write: no task has the store: its source topics are read by a pattern, and none exists yet", p.decl.Name))
	}
	w := ws[partition.Of(p.bytes(k), int32(len(ws)))]
	p.within(w, func(part S) bool { f(part); return true })
	if p.d.punctuate(w) {
		p.d.settle()
	}
}

func (p *parts[K, S]) bytes(k K) []byte {
	p.d.t.Helper()
	b, err := p.key.Append([]byte{}, k)
	if err != nil {
		p.d.fail(fmt.Errorf("store %q: the key cannot be encoded: %w", p.decl.Name, err))
	}
	return b
}

// byTime orders the windows of all keys by their start and their key's bytes, sessions by their end, start and key.
func (p *parts[K, S]) byTime(a, b window.Key[K]) int {
	order := bySpan
	if p.decl.Kind == decl.Session {
		order = byEnd
	}
	return cmp.Or(order(a.Span, b.Span), bytes.Compare(p.bytes(a.Key), p.bytes(b.Key)))
}

// inside is a task as its stores see it when they are used from outside, between records.
type inside struct {
	graph.Env
	db   store.DB
	meta *record.Meta
}

func (i inside) DB(*decl.Store) store.DB { return i.db }
func (i inside) Meta() *record.Meta      { return i.meta }
func (i inside) OnRollback(func())       {} // a handle does not outlive the transaction
