package overlay

import (
	"github.com/millrace-streams/millrace/store"
)

// A batch is rows of whole transactions, with the checkpoints they go to.
type batch struct {
	rows Rows
	cps  checkpoints
	gone []Span
}

// A flight is the batch on its way to the base; there is at most one.
type flight struct {
	busy    bool
	epoch   uint64     // rows up to this one are in the base when it has landed
	applied uint64     // rows up to this one are in the base
	done    chan error // capacity 1, so that Apply ends also if nobody asks
	rows    Rows       // of the last flight, to be used again
}

// Commit implements store.DB.
func (db *DB) Commit(cps ...store.Checkpoint) error {
	if err := db.usable(); err != nil {
		return err
	}
	db.settle()
	for _, w := range db.tx.dirty {
		e := db.t.at(w.id)
		db.held.rows = db.held.rows.add(db.t.key(e), db.t.value(e), e.live())
	}
	for _, w := range db.tx.gone {
		db.held.expire(w)
	}
	db.held.cps.put(cps...)
	db.cps.put(cps...)
	db.begin()
	if len(db.held.rows) >= db.opts.Batch {
		if err := db.depart(); err != nil {
			return err
		}
	}
	err := db.look()
	db.t.evict(db.opts.Limit())
	return err
}

// begin begins a transaction: rows with the present epoch are committed and held.
func (db *DB) begin() {
	for _, p := range db.parts {
		p.dirty = trim(p.dirty)
	}
	db.tx.reset()
	db.epoch++
}

// depart hands the held rows to the base, when the batch before has landed.
func (db *DB) depart() error {
	db.settle()
	if err := db.land(); err != nil {
		return err
	}
	if len(db.held.rows) == 0 && len(db.held.cps.m) == 0 && len(db.held.gone) == 0 {
		return nil
	}
	a := &db.air
	rows, cps, gone := db.held.rows, db.held.cps.all(), db.held.gone
	db.held = batch{rows: trim(a.rows)}
	a.busy, a.epoch, a.rows = true, db.epoch-1, rows
	if db.opts.Inline {
		a.done <- db.base.Apply(rows, cps, gone)
		return db.land()
	}
	// It ends with Apply. The next depart waits for it, and so do Flush and Close.
	go func() { a.done <- db.base.Apply(rows, cps, gone) }()
	return nil
}

// land waits for the batch under way.
func (db *DB) land() error {
	if db.air.busy {
		db.landed(<-db.air.done)
	}
	return db.err
}

// look takes up the end of a batch, without waiting.
func (db *DB) look() error {
	if db.air.busy {
		select {
		case err := <-db.air.done:
			db.landed(err)
		default:
		}
	}
	return db.err
}

func (db *DB) landed(err error) {
	db.air.busy = false
	if err != nil {
		_ = db.fail(err)
		return // applied stays, and with it all rows that the base may lack
	}
	db.air.applied = db.air.epoch
	db.moves++
	for _, p := range db.parts {
		p.landed(db.t, db.air.applied)
	}
}

// Flush implements store.DB.
func (db *DB) Flush(stamp int64) error {
	if err := db.usable(); err != nil {
		return err
	}
	db.settle()
	db.cps.stamp(stamp)
	db.held.cps.put(db.cps.all()...)
	if err := db.depart(); err != nil {
		return err
	}
	if err := db.land(); err != nil {
		return err
	}
	if err := db.base.Flush(); err != nil {
		return db.fail(err)
	}
	return nil
}
