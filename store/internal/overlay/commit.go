package overlay

import (
	"github.com/millrace-streams/millrace/store"
)

// A batch is runs of whole transactions, with the checkpoints they go to and what has expired.
type batch struct {
	rows buffer
	cps  checkpoints
	gone []Span
}

// A flight is the batch on its way to the base; there is at most one.
type flight struct {
	busy  bool
	epoch uint32     // rows up to this one are in the base when it has landed
	done  chan error // capacity 1, so that Apply ends also if nobody asks
	rows  buffer     // of the last flight, to be used again
}

// Commit implements store.DB.
func (db *DB) Commit(cps ...store.Checkpoint) error {
	if err := db.usable(); err != nil {
		return err
	}
	db.settle()
	for i := range db.t.Dirties() {
		r := db.t.Dirty(i)
		value, live := db.t.Value(r)
		db.held.rows.add(db.t.Key(r), value, live)
	}
	for _, s := range db.gone {
		db.held.expire(s)
	}
	db.gone = db.gone[:0]
	db.held.cps.put(cps...)
	db.cps.put(cps...)
	db.t.Commit()
	if db.held.rows.size() >= db.opts.Batch {
		if err := db.depart(); err != nil {
			return err
		}
	}
	if err := db.renumber(); err != nil {
		return err
	}
	err := db.look()
	db.shrink()
	return err
}

// renumber begins epochs anew when they run out.
func (db *DB) renumber() error {
	if !db.t.Full() {
		return nil
	}
	if err := db.depart(); err != nil {
		return err
	}
	if err := db.land(); err != nil {
		return err
	}
	db.t.Landed(db.t.Open() - 1) // an epoch without rows never flew
	db.t.Renumber()
	return nil
}

// depart hands the held rows to the base, when the batch before has landed.
func (db *DB) depart() error {
	db.settle()
	if err := db.land(); err != nil {
		return err
	}
	h := &db.held
	if h.rows.len() == 0 && len(h.cps.m) == 0 && len(h.gone) == 0 {
		return nil
	}
	a := &db.air
	rows, cps, gone := h.rows, h.cps.all(), h.gone
	a.rows.reset()
	db.held = batch{rows: a.rows}
	a.busy, a.epoch, a.rows = true, db.t.Open()-1, rows
	if db.opts.Inline {
		a.done <- db.base.Apply(rows.rows(), rows.count, cps, gone)
		return db.land()
	}
	// It ends with Apply. The next depart waits for it, and so do Flush and Close.
	go func() {
		err := db.base.Apply(rows.rows(), rows.count, cps, gone)
		a.rows.trim(2 * db.opts.Batch) // at once: a database at rest does not look at its flight
		a.done <- err
	}()
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
		return // the table goes on holding all rows that the base may lack
	}
	db.moves++
	db.t.Landed(db.air.epoch)
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
