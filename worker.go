package millrace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

const (
	// quantum is how many records of one task are processed before the worker looks at its mail again.
	quantum = 1000
	// restAfterEnd is how long a transactional id rests after EndTxn: a produce within about 2 ms of it waits 20 ms inside
	// the broker (CONCURRENT_TRANSACTIONS under transaction version 2).
	restAfterEnd = 2 * time.Millisecond
	// drained is how long the input must be quiet for a commit ahead of the interval, and commitPause the time between two such
	// commits: each costs the broker three log appends and its markers.
	drained     = 1 * time.Millisecond
	commitPause = 10 * time.Millisecond
	// expiryMargin before the transaction timeout, a transaction that may not be committed is aborted in order.
	expiryMargin = 3 * time.Second
	// staleBackoff after the group refused a commit, before the work is tried again.
	staleBackoff = 50 * time.Millisecond
)

// A worker is a goroutine that owns tasks and one producer. Everything below mail is its own.
type worker struct {
	p    *process
	id   int
	log  *slog.Logger
	mail *mailbox

	machine  *txn.Machine
	producer *txn.Producer
	slots    []*slot
	slab     recordSlab

	now        time.Time // read once per turn
	lastCommit time.Time
	commitAt   time.Time // when the commit under way, or the last one, began
	lastInput  time.Time
	beganAt    time.Time      // of the open transaction
	restUntil  time.Time      // no record may be sent before
	records    int            // processed since the last commit
	sentBytes  int64          // in the open transaction
	origins    []origin       // of the records sent in the open transaction, when a policy may want to know
	refused    *origin        // of the record that a broker refused: told to its task after the abort
	broken     error          // a Begin that failed inside a task
	rr         int32          // partition for records without a key
	calls      sync.WaitGroup // of user code, under way
	stopped    bool
	done       chan struct{}
}

// Messages to a worker.
type (
	mailRecords struct { // records of one poll
		in   *input
		recs []record.In
		next int64
		size int64
	}
	mailEnds   struct{ ends map[*input]endAnswer }
	mailOpened struct{ s *slot }
	mailHold   struct { // a rebalance begins: commit, give up tasks, hold
		tasks []topology.TaskID
		reply chan<- struct{}
	}
	mailRelease struct{}
	mailLost    struct{ reply chan<- struct{} }
	mailFailed  struct { // a fetch failed for good
		in  *input
		err error
	}
	mailStop struct{}
)

func newWorker(p *process, id int) *worker {
	w := &worker{p: p, id: id, log: p.log.With("worker", id), mail: newMailbox(), done: make(chan struct{})}
	w.machine = txn.NewMachine(txn.Guarantee(p.cfg.Guarantee))
	return w
}

// run is the worker's goroutine. It ends after mailStop, or when the machine is stopped by a failure.
func (w *worker) run() {
	defer close(w.done)
	w.tick()
	w.lastCommit = w.now
	w.step(txn.Event{Kind: txn.Started})
	w.p.started.Done()
	for !w.stopped {
		w.readMail()
		if w.stopped {
			break
		}
		again := w.turn()
		if w.stopped {
			break
		}
		if !again.IsZero() {
			w.sleep(again)
		}
	}
	for _, s := range w.slots {
		w.closeSlot(s)
	}
	w.slots = nil
	if w.producer != nil {
		w.producer.Close()
		w.producer = nil
	}
	w.calls.Wait()
	w.answerRest()
}

// tick reads the clock.
func (w *worker) tick() { w.now = time.Now() }

// turn processes a quantum of each task, runs timers, commits if it is time, and returns when to look again: zero at once.
func (w *worker) turn() time.Time {
	w.tick()
	if w.machine.Held() {
		return w.expire()
	}
	if w.now.Before(w.restUntil) {
		return w.restUntil
	}
	next := w.now.Add(time.Second)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	ran, asked := 0, false
	for _, s := range w.slots {
		timer, err := s.task.Punctuate()
		if err != nil {
			return w.fail(err)
		}
		sooner(timer)
		w.ask(s)
		ok, why, again := s.task.Ready()
		if ok {
			if w.p.cfg.Guarantee == AtMostOnce {
				w.commit() // the offsets of the batch first, then the batch itself
				return time.Time{}
			}
			n, err := s.task.Process(quantum)
			ran += n
			w.records += n
			w.drain(s)
			if err != nil {
				return w.fail(err)
			}
		} else {
			w.askEnds(s)
			sooner(again)
			sooner(w.endsDue(s))
		}
		asked = asked || s.task.CommitRequested()
		w.look(s, ok, why)
		if w.broken != nil {
			err := w.broken
			w.broken = nil
			w.step(txn.Event{Kind: txn.FlushFailed, Err: err})
			return w.now
		}
	}
	w.tick()
	if ran > 0 {
		w.lastInput = w.now
	}
	if err := w.flushDue(); err != nil {
		return w.fail(err)
	}
	due := w.commitDue(ran, asked)
	if due.IsZero() || !w.now.Before(due) {
		if !due.IsZero() {
			w.commit()
			return time.Time{}
		}
	} else {
		sooner(due)
	}
	if ran > 0 {
		return time.Time{}
	}
	return next
}

// flushEvery is the longest time until what is committed is durable: it bounds what a restart after a kill replays, and
// stamps stores that are not written as being at the end of their changelog.
const flushEvery = 30 * time.Second

// flushDue flushes the databases of at most one slot: flushing takes its time, and others wait for it.
func (w *worker) flushDue() error {
	if w.machine.Phase() != txn.Ready {
		return nil
	}
	for _, s := range w.slots {
		if s.state == nil || w.now.Before(s.flushAt) {
			continue
		}
		s.flushAt = w.now.Add(flushEvery)
		var failed error
		s.state.each(func(db store.DB) { failed = errors.Join(failed, db.Flush(w.p.stamp())) })
		if failed != nil {
			return fmt.Errorf("millrace: task %v: store: %w", s.id, failed)
		}
		return nil
	}
	return nil
}

// commitDue returns when to commit what is dirty: zero when nothing is.
func (w *worker) commitDue(ran int, asked bool) time.Time {
	dirty := w.machine.Phase() == txn.Open || slices.ContainsFunc(w.slots, func(s *slot) bool { return s.task.Dirty() })
	if !dirty {
		return time.Time{}
	}
	if asked || w.sentBytes+w.pending() >= w.p.txnBudget {
		return w.now
	}
	due := w.lastCommit.Add(w.p.cfg.CommitInterval)
	if ran == 0 {
		early := w.lastInput.Add(drained)
		if pause := w.lastCommit.Add(commitPause); pause.After(early) {
			early = pause
		}
		if early.Before(due) {
			due = early
		}
	}
	return due
}

// pending returns the bytes of uncommitted rows.
func (w *worker) pending() (n int64) {
	for _, s := range w.slots {
		s.state.each(func(db store.DB) { n += db.Pending() })
	}
	return n
}

// expire ends a transaction that is held too long in order, before Kafka does.
func (w *worker) expire() time.Time {
	if w.machine.Phase() != txn.Open {
		return w.now.Add(time.Second)
	}
	at := w.beganAt.Add(w.p.cfg.TransactionTimeout - min(expiryMargin, w.p.cfg.TransactionTimeout/2))
	if w.now.Before(at) {
		return at
	}
	w.step(txn.Event{Kind: txn.Expired})
	return w.now.Add(time.Second)
}

// sleep waits for mail or a time.
func (w *worker) sleep(until time.Time) {
	d := time.Until(until)
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.mail.wake:
	case <-t.C:
	}
}

// readMail handles everything in the mailbox.
func (w *worker) readMail() {
	for _, msg := range w.mail.take() {
		if w.stopped {
			w.answer(msg)
			continue
		}
		switch m := msg.(type) {
		case *mailRecords:
			w.accept(m)
		case mailEnds:
			w.ends(m)
		case mailOpened:
			w.adopt(m.s)
		case mailAnswer:
			m.asked.Answered(m.err)
		case mailFailed:
			if m.in.live {
				w.fail(m.err)
			}
		case mailHold:
			w.leaveEvent(txn.Event{Kind: txn.Held, Tasks: m.tasks})
			close(m.reply)
		case mailRelease:
			w.step(txn.Event{Kind: txn.Released})
		case mailLost:
			w.step(txn.Event{Kind: txn.LostAll})
			close(m.reply)
		case mailStop:
			w.leaveEvent(txn.Event{Kind: txn.StopAsked})
			if w.machine.Phase() != txn.Stopped {
				w.stopped = true // a recovery was under way: nothing to commit
			}
		default:
			panic(fmt.Sprintf("millrace: worker got %T", msg))
		}
	}
}

// answer releases whoever waits for a message that is no longer handled.
func (w *worker) answer(msg any) {
	switch m := msg.(type) {
	case mailHold:
		close(m.reply)
	case mailLost:
		close(m.reply)
	case mailOpened:
		w.p.closeState(m.s)
	}
}

// answerRest answers everything that still comes until the process has closed the mailbox' senders.
func (w *worker) answerRest() {
	for _, msg := range w.mail.take() {
		w.answer(msg)
	}
}

// accept buffers records in their task.
func (w *worker) accept(m *mailRecords) {
	s := m.in.slot
	m.in.inTask += m.size
	if !m.in.live {
		w.settle(m.in, 0) // fetched before a rewind, or for a task that is gone
	} else {
		s.task.Add(m.in.tp, m.recs, m.next)
		m.in.given += uint64(len(m.recs))
		w.lastInput = w.now
	}
	m.recycle()
}

// drain tells flow control how much of a slot's inputs is still waiting.
func (w *worker) drain(s *slot) {
	for _, in := range s.inputs {
		records, bytes := s.task.Buffered(in.tp)
		w.settle(in, bytes+int64(records)*recordOverhead)
	}
}

// settle sets what waits in the task of an input, and frees the rest.
func (w *worker) settle(in *input, waiting int64) {
	if gone := in.inTask - waiting; gone > 0 {
		in.inTask = waiting
		w.p.reader.drained(in, gone)
	}
}

// adopt takes over a slot that is opened, and has its inputs read.
func (w *worker) adopt(s *slot) {
	w.slots = append(w.slots, s)
	slices.SortFunc(w.slots, func(a, b *slot) int {
		if a.id.Subtopology != b.id.Subtopology {
			return a.id.Subtopology - b.id.Subtopology
		}
		return int(a.id.Partition - b.id.Partition)
	})
	w.read(s)
	s.flushAt = w.now.Add(flushEvery + time.Duration(len(w.slots))*time.Second)
	s.view.set("running", "")
	w.p.opened(s)
}

// read has the inputs of a slot read from their committed positions on; unread stops it. Both are the only places where inputs
// become live and cease to be.
func (w *worker) read(s *slot) {
	for _, in := range s.inputs {
		in.live = true
	}
	w.p.reader.add(s.inputs)
}

func (w *worker) unread(s *slot) {
	for _, in := range s.inputs {
		in.live = false
		w.settle(in, 0)
	}
	w.p.reader.remove(s.inputs)
}

// look keeps what others may see of a slot.
func (w *worker) look(s *slot, ok bool, why string) {
	if ok {
		why = ""
	}
	s.view.mu.Lock()
	s.view.why = why
	s.view.mu.Unlock()
}

// fail ends the transaction, and with it the app: a record failed and its policy says so, or user code or a store broke.
func (w *worker) fail(err error) time.Time {
	w.step(txn.Event{Kind: txn.RecordFailed, Err: err})
	return time.Time{}
}

// leaveEvent prepares a commit and steps the machine with an event that commits whatever is dirty.
func (w *worker) leaveEvent(e txn.Event) {
	w.tick()
	if ph := w.machine.Phase(); ph == txn.Ready || ph == txn.Open {
		dirty, err := w.prepare()
		if err != nil {
			w.fail(err)
			return
		}
		e.Dirty = dirty
	}
	w.step(e)
}

// commit runs the commit chain.
func (w *worker) commit() {
	dirty, err := w.prepare()
	if err != nil {
		w.fail(err)
		return
	}
	w.step(txn.Event{Kind: txn.CommitDue, Dirty: dirty})
}

// prepare emits the tables' changes and writes the changelogs, so that all records of the transaction are sent.
func (w *worker) prepare() (dirty bool, err error) {
	w.commitAt = w.now
	if w.p.cfg.Guarantee == AtMostOnce {
		for _, s := range w.slots {
			for _, in := range s.inputs {
				if n, _ := s.task.Buffered(in.tp); n > 0 {
					return true, nil
				}
			}
			dirty = dirty || s.task.Dirty()
		}
		return dirty, nil
	}
	return w.emit()
}

func (w *worker) emit() (dirty bool, err error) {
	for _, s := range w.slots {
		if !s.task.Dirty() {
			continue
		}
		dirty = true
		if err := s.task.Emit(); err != nil {
			return true, err
		}
		s.task.Changelog(w.logger(s))
	}
	if w.broken != nil {
		err, w.broken = w.broken, nil
		w.step(txn.Event{Kind: txn.FlushFailed, Err: err})
		return false, nil
	}
	return dirty, nil
}

// ctx of the worker's requests: each has a deadline of its own; a stopping process still commits.
func (w *worker) ctx() context.Context { return context.Background() }

// recordSlab hands out records of the producer, many to one allocation, and takes all back once none is in flight.
type recordSlab struct {
	chunks [][]kgo.Record
	chunk  int
	used   int
}

const slabChunk = 256

func (s *recordSlab) next() *kgo.Record {
	if s.chunk == len(s.chunks) {
		s.chunks = append(s.chunks, make([]kgo.Record, slabChunk))
	}
	r := &s.chunks[s.chunk][s.used]
	if s.used++; s.used == slabChunk {
		s.chunk, s.used = s.chunk+1, 0
	}
	return r
}

// reuse starts again from the first record. Call it only after a flush without error: the client holds none of them then. What a
// large transaction grew beyond keep chunks is let go.
func (s *recordSlab) reuse() {
	const keep = 96
	if len(s.chunks) > keep {
		s.chunks = slices.Delete(s.chunks, keep, len(s.chunks))
	}
	s.chunk, s.used = 0, 0
}

// forget leaves the records to the client that may still hold them.
func (s *recordSlab) forget() { *s = recordSlab{} }

// task.TP of the reader's maps.
func tpOf(topic string, partition int32) task.TP { return task.TP{Topic: topic, Partition: partition} }
