package dsl

import (
	"slices"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/store"
)

// Keep adds the step that keeps the latest value of each key of a stream in a store: a table.
func Keep[K, V any](h Handle[K, V], call, kind, name string, opts []store.Option) Table[K, V] {
	spec := Declare(h, call, name, opts, false, "call WithValueSerde")
	d := spec.Decl()
	out := h.Fold(Step{Call: call, Kind: kind, Name: name, ByKey: true, Stores: []*decl.Store{d}}, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V]) record.Fn[K, V] {
		id, keeper := int32(n.ID), NewKeeper(env, n, d, next)
		nullKey, nullValue := topics.Null(h.Key()), topics.Null(h.Value())
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			switch {
			case m.NoKey || nullKey != nil && nullKey(k):
				env.Drop(n, NullKey)
			case m.NoValue || nullValue != nil && nullValue(v):
				keeper.Delete(m, k)
			default:
				keeper.Put(m, k, v)
			}
		}
	})
	return Stored(out.WithValue(h.value), spec)
}

// A Keeper writes the rows of a table in one task and forwards what changes: each update at once, or each changed row at
// the commit.
//
//	Put, Delete, Update ──► rows ── at once, or per dirty row at commit ──► next
type Keeper[K, V any] struct {
	id   int32
	env  graph.Env
	rows rows.Table[K, V]
	next record.ChangeFn[K, V]

	versions *rows.Versioned[K, V] // instead of rows, if each of them has a history

	when func(K) int64 // the time of what is forwarded under a key, instead of the row's; nil: the row's

	deaf   bool // nobody is behind the table: it is only looked up
	atOnce bool // forwards every update
	old    bool // somebody behind wants old values

	// What a dirty row does not say of its last trigger, by key bytes: only rows with headers, and deleted ones, have an
	// entry. After an abort entries stay behind; the replay of the records that made them replaces them before they are used.
	last map[string]*trigger

	updates updates
	waiting []waiting[K, V] // scratch of emit
}

// waiting is a change that is forwarded in its turn.
type waiting[K, V any] struct {
	rows.Dirty[K, V]
	trigger *trigger
	turn    int
}

type trigger struct {
	time    int64
	headers []record.Header
}

// NewKeeper returns the keeper of a table's store in one task: of the latest value per key, or of the history of each.
func NewKeeper[K, V any](env graph.Env, n *graph.Node, d *decl.Store, next record.ChangeFn[K, V]) *Keeper[K, V] {
	if d.Kind == decl.Versioned {
		versions := rows.OpenVersioned[K, V](env, n, d)
		return &Keeper[K, V]{
			id: int32(n.ID), env: env, versions: versions, next: next,
			deaf: !listened(n), atOnce: true, old: n.OldWanted(),
		}
	}
	table := rows.Open[K, V](env, n, d)
	if d.TTL > 0 {
		env.AtCommit(n, table.Expire) // before what it deletes is forwarded
		env.AtIdle(n, table.Expire)
	}
	k := Keeping(env, n, d, table, next)
	if !k.deaf {
		table.Forgets(k.forgotten)
	}
	return k
}

// Keeping returns the keeper of a table's rows in one task.
func Keeping[K, V any](env graph.Env, n *graph.Node, d *decl.Store, table rows.Table[K, V], next record.ChangeFn[K, V]) *Keeper[K, V] {
	k := &Keeper[K, V]{
		id: int32(n.ID), env: env, rows: table, next: next,
		deaf: !listened(n), atOnce: d.NoCache, old: n.OldWanted(), last: map[string]*trigger{}, updates: newUpdates(),
	}
	if !k.deaf && !k.atOnce {
		env.AtCommit(n, k.emit)
	}
	return k
}

// Writing returns a keeper that forwards nothing: somebody else sends what it writes.
func Writing[K, V any](env graph.Env, n *graph.Node, table rows.Table[K, V]) *Keeper[K, V] {
	return &Keeper[K, V]{id: int32(n.ID), env: env, rows: table, deaf: true}
}

// At has the keeper forward what it writes under a key with the time that when gives, milliseconds. As in Kafka Streams,
// where this is the end of a session, updates that are forwarded at once carry no headers.
func (k *Keeper[K, V]) At(when func(K) int64) *Keeper[K, V] {
	k.when = when
	return k
}

// Get returns the row of a key.
func (k *Keeper[K, V]) Get(key K) (v V, time int64, ok bool) {
	if k.versions != nil {
		return k.versions.Find(key)
	}
	return k.rows.Find(key)
}

// NeedsOld reports whether Update must be told the old value.
func (k *Keeper[K, V]) NeedsOld() bool { return k.atOnce && k.old }

// Put writes a row with the time of the record in hand.
func (k *Keeper[K, V]) Put(m *record.Meta, key K, v V) {
	c := record.Change[V]{New: v, HasNew: true}
	if k.versions != nil {
		k.insert(m, key, c, m.Time, k.NeedsOld())
		return
	}
	if k.NeedsOld() {
		c.Old, _, c.HasOld = k.rows.Find(key)
	}
	k.Update(m, key, c, m.Time)
}

// Delete removes a row.
func (k *Keeper[K, V]) Delete(m *record.Meta, key K) {
	var c record.Change[V]
	if k.versions != nil {
		k.insert(m, key, c, m.Time, k.NeedsOld())
		return
	}
	if k.NeedsOld() {
		c.Old, _, c.HasOld = k.rows.Find(key)
	}
	k.Update(m, key, c, m.Time)
}

// Update writes the new value of a change, or removes the row if it has none, with the given time. The old value need be
// right only if NeedsOld.
func (k *Keeper[K, V]) Update(m *record.Meta, key K, c record.Change[V], time int64) {
	m.Node = k.id
	if k.versions != nil {
		k.insert(m, key, c, time, false)
		return
	}
	if c.HasNew {
		k.rows.Write(key, c.New, time)
	} else {
		k.rows.Remove(key)
	}
	switch {
	case k.deaf:
	case k.atOnce:
		m.Time, m.NoKey = time, false
		if k.when != nil {
			m.Time, m.Headers = k.when(key), nil
		}
		k.next(m, key, c)
	default:
		k.remember(m, c.HasNew)
	}
}

// insert writes the new version of a row and forwards the change, unless it is older than the history. old has it find out
// what the newest version was.
func (k *Keeper[K, V]) insert(m *record.Meta, key K, c record.Change[V], time int64, old bool) {
	m.Node = k.id
	w := k.versions.Set(key, c.New, c.HasNew, time, old)
	if w.Refused || k.deaf {
		return
	}
	if old {
		c.Old, c.HasOld = w.Old, w.HasOld
	}
	c.Stale = !w.Latest
	m.Time, m.NoKey = time, false
	k.next(m, key, c)
}

// forgotten forwards that the store forgot a row (store.TTL, store.LRU): as if it had been deleted.
func (k *Keeper[K, V]) forgotten(bytes []byte, key K, old V, at int64) {
	if !k.atOnce {
		k.last[string(bytes)] = &trigger{time: at}
		return
	}
	m := k.env.Meta()
	saved := *m
	*m = record.Meta{Node: k.id, Time: at}
	var c record.Change[V]
	if k.old {
		c.Old, c.HasOld = old, true
	}
	k.next(m, key, c)
	*m = saved
}

// remember keeps what emit needs to know of the trigger and the row will not say. Headers are never changed in place, so
// keeping them is enough.
func (k *Keeper[K, V]) remember(m *record.Meta, has bool) {
	key := k.rows.KeyBytes()
	k.updates.note(key, k.env)
	if has && len(m.Headers) == 0 && len(k.last) == 0 {
		return
	}
	t := k.last[string(key)]
	switch {
	case has && len(m.Headers) == 0:
		if t != nil {
			delete(k.last, string(key))
		}
	case t != nil:
		t.time, t.headers = m.Time, m.Headers
	default:
		k.last[string(key)] = &trigger{m.Time, m.Headers}
	}
}

// emit forwards the rows changed since the last commit, in the order of their last update, or of their first if there are
// many. A row that was not there before and is not there now is no change. A row has its own time; a deletion that of the
// record that deleted.
func (k *Keeper[K, V]) emit() {
	if k.updates.many {
		k.rows.Dirty(k.old, func(d rows.Dirty[K, V]) { k.forward(&d, k.last[string(d.KeyBytes)], nil) })
	} else {
		k.emitFew()
	}
	clear(k.last)
	k.updates.forget()
}

func (k *Keeper[K, V]) emitFew() {
	k.updates.count()
	k.waiting = k.waiting[:0]
	k.rows.Dirty(k.old, func(d rows.Dirty[K, V]) {
		k.waiting = append(k.waiting, waiting[K, V]{d, k.last[string(d.KeyBytes)], k.updates.turn(d.KeyBytes)})
	})
	slices.SortStableFunc(k.waiting, func(a, b waiting[K, V]) int { return a.turn - b.turn })
	for i := range k.waiting {
		w := &k.waiting[i]
		k.forward(&w.Dirty, w.trigger, k.updates.where(w.turn))
	}
	clear(k.waiting)
}

// forward sends one changed row on; t is nil where the row says all of its last trigger. at is where the record of its last update
// was read, nil if that is not known.
func (k *Keeper[K, V]) forward(d *rows.Dirty[K, V], t *trigger, at *record.Position) {
	m := k.env.Meta()
	*m = record.Meta{Node: k.id, Time: d.Time, At: at}
	if t != nil {
		m.Headers = t.headers
		if !d.HasNew {
			m.Time = t.time
		}
	}
	if k.when != nil {
		m.Time = k.when(d.Key)
	}
	k.next(m, d.Key, d.Change)
}
