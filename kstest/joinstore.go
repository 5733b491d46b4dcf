package kstest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	typed "github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// JoinStore returns what a join of streams keeps of one side, over all partitions: name is that of the store in full, such as
// "paid-this-join-store". A row has the time of its record; rows are in the order of the keys' bytes, then of time, then as they
// came. Those that are too old to be joined are not shown.
func (d *Driver) JoinStore[K, V any](name string) iter.Seq2[K, store.Row[V]] {
	d.t.Helper()
	for _, sub := range d.plan.Subs {
		for _, have := range sub.Stores {
			if have.Name != name {
				continue
			}
			key, keyed := have.Key.(serde.Serde[K])
			value, valued := have.Value.(serde.Serde[V])
			if !have.Duplicates || !keyed || !valued {
				d.fail(fmt.Errorf("store %q, declared at %s, is no store of a join with these types: its serdes are %T and %T", name, have.At, have.Key, have.Value))
			}
			log := graph.Changelog(d.options.application, have)
			key, value = topics.Bind(key, log, serde.Key), topics.Bind(value, log, serde.Value)
			return func(yield func(K, store.Row[V]) bool) {
				d.t.Helper()
				d.joined(have, key, value, yield)
			}
		}
	}
	d.fail(fmt.Errorf("the topology has no store %q", name))
	return nil
}

// A duplicate is a row of a store of a join.
type duplicate struct {
	key    []byte
	start  int64
	number uint32
	value  []byte
}

func (d *Driver) joined[K, V any](have *decl.Store, key serde.Serde[K], value serde.Serde[V], yield func(K, store.Row[V]) bool) {
	d.t.Helper()
	bad := func(err error) { d.fail(fmt.Errorf("store %q: a row cannot be decoded: %w", have.Name, err)) }
	var found []duplicate
	for _, w := range d.workers {
		if !slices.Contains(w.sub.Stores, have) {
			continue
		}
		prefix, observed := w.db.Prefix(have.Name), w.task.Observed(typed.StoreClock(have))
		it := w.db.Range(prefix, nil, false)
		for it.Next() && bytes.HasPrefix(it.Key(), prefix) {
			k, start, number, ok := layout.SplitDuplicate(it.Key()[len(prefix):])
			if !ok || len(it.Value()) < layout.TimeLen {
				bad(errors.New("it is too short"))
			}
			if start <= observed-have.Retention.Milliseconds() {
				continue
			}
			v, err := layout.SkipHeaders(it.Value()[layout.TimeLen:])
			if err != nil {
				bad(err)
			}
			found = append(found, duplicate{bytes.Clone(k), start, number, bytes.Clone(v)})
		}
		if err := it.Close(); err != nil {
			d.fail(fmt.Errorf("store %q: read: %w", have.Name, err))
		}
	}
	slices.SortStableFunc(found, func(a, b duplicate) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.start, b.start), cmp.Compare(a.number, b.number))
	})
	for _, r := range found {
		k, err := key.Decode(r.key)
		if err != nil {
			bad(err)
		}
		v, err := value.Decode(r.value)
		if err != nil {
			bad(err)
		}
		if !yield(k, store.Row[V]{Value: v, Time: time.UnixMilli(r.start)}) {
			return
		}
	}
}
