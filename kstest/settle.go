package kstest

import (
	"errors"
)

// endless is the number of records in a row after which a topology is taken to feed itself for ever, above ten for each that
// had been written before.
const endless = 100_000

var errEndless = errors.New("a hundred thousand records came of what was there, and no end: the topology seems to read what it writes")

// settle runs the tasks until no record can be processed. The task whose next record was written first goes first.
func (d *Driver) settle() {
	d.t.Helper()
	if d.stopped != nil {
		return
	}
	limit := endless + 10*d.written
	for n := int64(0); ; n++ {
		w := d.next()
		if w == nil {
			return
		}
		if n > limit {
			d.fail(errEndless)
		}
		if _, err := w.task.Process(1); err != nil {
			d.stop(err)
			return
		}
		if !d.betweenCommit(w) || !d.punctuate(w) || !d.betweenCommit(w) {
			return
		}
	}
}

// next returns the task to go on with, nil when there is none.
func (d *Driver) next() (first *worker) {
	var smallest int64
	for _, w := range d.workers {
		w.feed()
		w.answer()
		if seq, ok := w.first(); ok && (first == nil || seq < smallest) {
			first, smallest = w, seq
		}
	}
	return first
}

// punctuate runs the timers of a task that are due, and commits unless that is done by hand. It reports whether the app still
// runs.
func (d *Driver) punctuate(w *worker) bool {
	d.t.Helper()
	if d.stopped != nil {
		return false
	}
	_, err := w.task.Punctuate()
	if err == nil && (!d.options.manual || w.task.CommitRequested()) {
		err = w.commit()
	}
	if err != nil {
		d.stop(err)
		return false
	}
	return true
}

// betweenCommit commits where only CommitBetween asks for it. It reports whether the app still runs.
func (d *Driver) betweenCommit(w *worker) bool {
	d.t.Helper()
	if d.options.between == nil || !d.options.between() {
		return true
	}
	if err := w.commit(); err != nil {
		d.stop(err)
		return false
	}
	return true
}

// Commit commits what all tasks did, and lets the records that become visible by it be processed and committed in turn,
// until all is at rest. Without ManualCommit there is nothing left to commit.
func (d *Driver) Commit() {
	d.t.Helper()
	d.usable()
	limit := endless + 10*d.written
	for n := int64(0); ; n++ {
		if n > limit {
			d.fail(errEndless)
		}
		dirty := false
		for _, w := range d.workers {
			if !w.task.Dirty() {
				continue
			}
			dirty = true
			if err := w.commit(); err != nil {
				d.stop(err)
				return
			}
		}
		if !dirty {
			return
		}
		if d.settle(); d.stopped != nil {
			return
		}
	}
}

// Crash drops all that is not committed, stores included, and starts the app again: stores come back from their changelogs,
// reading goes on from the committed offsets, and what was not committed is processed again. Stores without a changelog are
// empty afterwards. An app that has stopped with an error is started again, too. Functions given to OnClose run: the process
// of the test lives on.
func (d *Driver) Crash() {
	d.t.Helper()
	if d.closed {
		d.usable()
	}
	d.stopped = nil
	for _, w := range d.workers {
		w.close()
	}
	d.open()
	d.settle()
}
