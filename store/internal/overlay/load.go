package overlay

import (
	"fmt"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/table"
)

// Load implements store.DB.
func (db *DB) Load(rows []store.KV, at store.Checkpoint) error {
	if err := db.usable(); err != nil {
		return err
	}
	if db.Wrote() {
		return db.errOpen("Load")
	}
	for i := range rows {
		if err := fits(rows[i].Key, rows[i].Value); err != nil {
			return err
		}
	}
	before, n := db.t.Bytes(), db.t.Loaded()
	db.loads += db.t.Load(len(rows), func(i int) table.Row {
		r := &rows[i]
		return table.Row{Part: db.part(r.Key), Key: r.Key, Value: r.Value, Live: r.Value != nil}
	})
	db.loads += refLen * (db.t.Loaded() - n)
	db.cps.put(at)
	db.held.cps.put(at)
	// While a task is restored no transaction needs memory, and each row kept is one that is written once fewer.
	limit := db.opts.Limit() * 3 / 2
	if db.held.rows.size()+db.loads >= max(db.opts.Batch, db.opts.LoadBatch) || db.t.Bytes() > limit && before <= limit+4<<20 {
		if err := db.depart(); err != nil {
			return err
		}
		if db.t.Bytes() > limit {
			if err := db.land(); err != nil { // nothing can be evicted before
				return err
			}
		}
		db.shrink()
	}
	return db.look()
}

// settle adds the loaded rows to the held ones, as a transaction before the one that opens.
func (db *DB) settle() {
	if db.t.Loaded() > 0 {
		db.t.Settle(db.held.rows.add)
	}
	db.loads = 0
}

// Wipe implements store.DB.
func (db *DB) Wipe(name, changelog string) error {
	if err := db.usable(); err != nil {
		return err
	}
	if db.Wrote() {
		return db.errOpen("Wipe")
	}
	part, ok := db.names[name]
	if !ok {
		return fmt.Errorf("overlay: Wipe: store %q was not named when the database was opened", name)
	}
	if err := db.depart(); err != nil {
		return err
	}
	if err := db.land(); err != nil {
		return err
	}
	prefix := db.stores[part].Prefix[:]
	if err := db.base.Wipe(prefix, changelog); err != nil {
		return db.fail(err)
	}
	delete(db.cps.m, changelog)
	db.t.Drop(part, prefix)
	db.moves++
	return nil
}
