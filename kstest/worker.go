package kstest

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
)

// A worker runs one task in transactions of its own.
type worker struct {
	d      *Driver
	sub    *graph.Sub
	id     topology.TaskID
	db     store.DB // nil for a subtopology without stores
	task   *task.Task
	inputs []*input
	outs   []record.Out       // of the open transaction
	ends   []store.Checkpoint // of the last commit, reused

	committed map[task.TP]task.Offset // outlives the task
}

// An input is a partition a task reads.
type input struct {
	task.TP
	log  *topic
	read int     // records handed to the task
	seqs []int64 // of those it has not taken up
}

// open makes the tasks of all subtopologies, as they are after the last commit.
func (d *Driver) open() {
	d.t.Helper()
	before := map[topology.TaskID]*worker{}
	for _, w := range d.workers {
		before[w.id] = w
	}
	d.workers = nil
	d.openGlobals()
	for i, sub := range d.plan.Subs {
		for p := range d.tasks(i) {
			w := &worker{d: d, sub: sub, id: topology.TaskID{Subtopology: sub.ID, Partition: p}, committed: map[task.TP]task.Offset{}}
			if b := before[w.id]; b != nil {
				w.committed = b.committed
			}
			for _, name := range d.sources[i] {
				if p < d.counts[name] {
					w.inputs = append(w.inputs, &input{TP: task.TP{Topic: name, Partition: p}, log: d.topic(name)})
				}
			}
			w.open()
			d.workers = append(d.workers, w)
		}
	}
	for _, w := range d.workers {
		d.punctuate(w) // stream time may be known from before
	}
}

func (w *worker) open() {
	d := w.d
	d.t.Helper()
	if len(w.sub.Stores) > 0 {
		var names []string
		for _, s := range w.sub.Stores {
			names = append(names, s.Name)
		}
		w.db = d.database(names)
		for _, s := range w.sub.Stores {
			w.restore(s)
		}
	}
	var inputs []task.TP
	for _, in := range w.inputs {
		inputs = append(inputs, in.TP)
	}
	t, err := task.New(task.Config{
		ID: w.id, Sub: w.sub, ApplicationID: d.options.application, Inputs: inputs,
		DB:         w.dbOf,
		Send:       func(o *record.Out) { w.outs = append(w.outs, *o) },
		Partitions: d.partitions,
		Policy:     d.options.policy,
		Around:     d.options.around,
		Now:        func() time.Time { return d.now },
		Logger:     d.log.With("task", w.id),
		OnError:    func(e *topology.RecordError, _ topology.Action) { d.errors = append(d.errors, e) },
		LogAbsent:  d.options.oneTask,
		OnDrop:     func(_, reason string) { d.dropped[reason]++ },
	})
	if err != nil {
		d.fail(err)
	}
	w.task = t
	for _, in := range w.inputs {
		o := w.committed[in.TP]
		t.Resume(in.TP, o.Offset, o.Metadata)
		in.read = int(o.Offset)
	}
}

// database opens an empty database.
func (d *Driver) database(stores []string) store.DB {
	d.t.Helper()
	if d.options.databases == nil {
		return memstore.Open(stores...)
	}
	db, err := d.options.databases(stores...)
	if err != nil {
		d.fail(fmt.Errorf("a database cannot be opened: %w", err))
	}
	return db
}

// restore fills a store from its changelog, from where its rows end. A source topic that serves as one counts as far as it was
// processed.
func (w *worker) restore(s *decl.Store) {
	d := w.d
	d.t.Helper()
	if s.NoChangelog {
		return
	}
	name := graph.Changelog(d.options.application, s)
	log := d.topic(name).partitions[w.id.Partition]
	if s.Source != "" {
		log = log[:w.committed[task.TP{Topic: name, Partition: w.id.Partition}].Offset]
	}
	from, found := w.db.Checkpoint(name)
	if !found {
		from = store.Checkpoint{Changelog: name}
	}
	end := int64(len(log))
	if from.Offset > end {
		d.fail(fmt.Errorf("a database for store %q was given that is at offset %d of a changelog of %d records: it is of another run", s.Name, from.Offset, end))
	}
	entries := make([]changelog.Entry, 0, end-from.Offset)
	for _, r := range log[from.Offset:] {
		if r.Key != nil {
			entries = append(entries, changelog.Entry{Key: r.Key, Value: r.Value, Headers: r.Headers, Time: r.Time})
		}
	}
	r := changelog.NewRestore(s, from, end, w.db.Prefix(s.Name), w.db)
	if err := r.Feed(entries, end); err != nil {
		d.fail(err)
	}
}

// feed hands the task what was written to its inputs, and their ends.
func (w *worker) feed() {
	for _, in := range w.inputs {
		log := in.log.partitions[in.Partition]
		if in.read < len(log) {
			recs := make([]record.In, 0, len(log)-in.read)
			for _, r := range log[in.read:] {
				recs = append(recs, r.In)
				in.seqs = append(in.seqs, r.seq)
			}
			in.read = len(log)
			w.task.Add(in.TP, recs, int64(len(log)))
		}
		w.task.SetEnd(in.TP, int64(len(log)))
	}
}

// first returns the place of the task's next record among all records; ok is false when it can do nothing.
func (w *worker) first() (seq int64, ok bool) {
	if ok, _, _ := w.task.Ready(); !ok {
		return 0, false
	}
	for _, in := range w.inputs {
		n, _ := w.task.Buffered(in.TP)
		in.seqs = in.seqs[len(in.seqs)-n:]
		if n > 0 && (!ok || in.seqs[0] < seq) {
			seq, ok = in.seqs[0], true
		}
	}
	return seq, ok
}

// commit ends the transaction, if anything happened in it: outputs, changelog, offsets and stores together.
func (w *worker) commit() error {
	if !w.task.Dirty() {
		return nil
	}
	if err := w.task.Emit(); err != nil {
		return err
	}
	d := w.d
	w.task.Changelog(func(s *decl.Store, e changelog.Entry) {
		w.outs = append(w.outs, record.Out{Topic: graph.Changelog(d.options.application, s), Partition: w.id.Partition, Key: e.Key, Value: e.Value, Headers: e.Headers, Time: e.Time})
	})
	for _, o := range w.task.Offsets() {
		w.committed[o.TP] = o
	}
	outs := w.outs
	w.outs = nil
	for _, o := range outs {
		d.write(o)
	}
	if w.db != nil {
		if err := w.db.Commit(w.checkpoints()...); err != nil {
			return err
		}
	}
	w.task.Committed()
	return nil
}

// checkpoints returns how far the changelogs go that the rows of the task are in.
func (w *worker) checkpoints() []store.Checkpoint {
	w.ends = w.ends[:0]
	for _, s := range w.sub.Stores {
		if s.NoChangelog {
			continue
		}
		name := graph.Changelog(w.d.options.application, s)
		end := int64(len(w.d.topic(name).partitions[w.id.Partition]))
		if s.Source != "" {
			end = w.committed[task.TP{Topic: name, Partition: w.id.Partition}].Offset
		}
		w.ends = append(w.ends, store.Checkpoint{Changelog: name, Offset: end})
	}
	return w.ends
}

// abort drops the open transaction.
func (w *worker) abort() {
	w.outs = nil
	if w.db != nil {
		w.db.Abort()
	}
	w.task.Abort()
}

// close ends the task; what is not committed is lost.
func (w *worker) close() {
	w.task.Close()
	if w.db != nil {
		_ = w.db.Close() // in memory: it has nothing to flush
	}
}
