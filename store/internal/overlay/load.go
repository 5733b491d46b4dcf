package overlay

import (
	"bytes"
	"fmt"

	"github.com/millrace-streams/millrace/store"
)

// loading is what Load wrote since rows were last held: each row once, however often it was written.
type loading struct {
	ids  []uint32 // entries flagged loaded
	size int      // bytes of their rows, of all writes
}

// Load implements store.DB. The rows become durable in batches; after a crash those that were not, and the checkpoint
// they end at, are loaded again.
func (db *DB) Load(rows []store.KV, at store.Checkpoint) error {
	if err := db.usable(); err != nil {
		return err
	}
	if db.Wrote() {
		return db.errOpen("Load")
	}
	t, l := db.t, &db.load
	for _, r := range rows {
		if len(r.Key)+len(r.Value) > maxRow {
			return tooLong(r.Key, r.Value)
		}
		id := t.find(r.Key)
		if id == 0 {
			id = t.insert(r.Key, r.Value, true, 0)
		} else {
			t.set(id, r.Value)
		}
		e := t.at(id)
		if e.flags&loaded == 0 {
			e.flags |= loaded
			e.epoch = db.epoch
			db.partOf(r.Key).list(id, e)
			l.ids = append(l.ids, id)
			l.size += len(r.Key) + len(r.Value)
		}
		e.flags &^= deleted
		if r.Value == nil {
			e.flags |= deleted
		}
	}
	db.cps.put(at)
	db.held.cps.put(at)
	if len(db.held.rows)+l.size >= db.opts.Batch {
		if err := db.depart(); err != nil {
			return err
		}
		t.evict(db.opts.Limit())
	}
	return db.look()
}

// settle adds the loaded rows to the held ones, as a transaction before the one that opens.
func (db *DB) settle() {
	l := &db.load
	if len(l.ids) == 0 {
		return
	}
	for _, id := range l.ids {
		e := db.t.at(id)
		e.flags &^= loaded
		db.held.rows = db.held.rows.add(db.t.key(e), db.t.value(e), e.live())
	}
	l.ids, l.size = trim(l.ids), 0
	db.begin()
}

// Wipe implements store.DB.
func (db *DB) Wipe(name, changelog string) error {
	if err := db.usable(); err != nil {
		return err
	}
	if db.Wrote() {
		return db.errOpen("Wipe")
	}
	p := db.names[name]
	if p == nil {
		return fmt.Errorf("overlay: Wipe: store %q was not named when the database was opened", name)
	}
	if err := db.depart(); err != nil {
		return err
	}
	if err := db.land(); err != nil {
		return err
	}
	if err := db.base.Wipe(p.Prefix[:], changelog); err != nil {
		return db.fail(err)
	}
	delete(db.cps.m, changelog)
	for id := uint32(1); id < db.t.next; id++ {
		if e := db.t.at(id); e.seg != none && bytes.HasPrefix(db.t.key(e), p.Prefix[:]) {
			db.t.forget(id)
		}
	}
	p.lacks, p.order = nil, order{version: p.order.version + 1}
	db.moves++
	return nil
}
