package millrace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

// step feeds an event to the machine and does what it says, until nothing is left to do.
func (w *worker) step(e txn.Event) {
	w.tell(e)
	actions := w.machine.Step(e)
	for len(actions) > 0 {
		a := actions[0]
		actions = actions[1:]
		if next, ok := w.do(a); ok {
			w.tell(next)
			actions = append(actions, w.machine.Step(next)...)
		}
	}
	if w.machine.Phase() == txn.Stopped {
		w.stopped = true
	}
}

// tell says that uncommitted work is taken back, and why.
func (w *worker) tell(e txn.Event) {
	switch e.Kind {
	case txn.FlushFailed, txn.OffsetsFailed, txn.OffsetsRefused, txn.EndFailed, txn.AbortFailed:
	default:
		return
	}
	w.log.Warn("millrace: commit failed, its work is taken back", "step", e.Kind, "error", e.Err)
	if w.p.cfg.Events.Recovered != nil {
		w.p.cfg.Events.Recovered(RecoverInfo{w.id, e.Err})
	}
}

// do does one action; it returns the event that answers it, if there is one.
func (w *worker) do(a txn.Action) (txn.Event, bool) {
	switch a.Kind {
	case txn.Init:
		return w.init(a.After)
	case txn.Begin:
		w.beganAt = w.now
		if err := w.producer.Begin(); err != nil {
			w.broken = err
		}
	case txn.Flush:
		err := w.producer.Flush(w.ctx())
		if err == nil {
			w.slab.reuse()
			w.forgetOrigins()
			return txn.Event{Kind: txn.Flushed}, true
		}
		w.refused = w.origin(err)
		return txn.Event{Kind: txn.FlushFailed, Err: err, Again: w.refused != nil}, true
	case txn.SendOffsets:
		m, err := w.membership()
		if err == nil {
			err = w.producer.SendOffsets(w.ctx(), m, w.offsets())
		}
		return outcome(err, txn.OffsetsSent, txn.OffsetsFailed)
	case txn.CommitOffsets:
		m, err := w.membership()
		if err == nil {
			err = w.producer.CommitOffsets(w.ctx(), m, w.offsets())
		}
		return outcome(err, txn.OffsetsCommitted, txn.OffsetsRefused)
	case txn.Run:
		return w.runBatch()
	case txn.End:
		err := w.producer.End(w.ctx(), true)
		w.tick()
		w.restUntil = w.now.Add(restAfterEnd)
		return outcome(err, txn.Ended, txn.EndFailed)
	case txn.Abort:
		err := w.producer.End(w.ctx(), false)
		w.slab.forget()
		w.tick()
		w.restUntil = w.now.Add(restAfterEnd)
		return outcome(err, txn.Aborted, txn.AbortFailed)
	case txn.Apply:
		if err := w.apply(); err != nil {
			return txn.Event{Kind: txn.RecordFailed, Err: err}, true
		}
	case txn.Drop:
		w.drop()
	case txn.Rewind:
		w.rewind()
	case txn.Reopen:
		w.reopen()
	case txn.Close:
		w.close(a)
	case txn.CloseProducer:
		if w.producer != nil {
			w.producer.Close()
			w.producer = nil
			w.slab.forget()
		}
	case txn.AskGroup:
		// What fenced us may be our own timed-out transaction. The group knows whether this process still counts.
		if w.p.group.stillMember(w.ctx()) {
			return txn.Event{Kind: txn.Member}, true
		}
		return txn.Event{Kind: txn.LostAll}, true
	case txn.Fail:
		w.p.fail(w.explain(a.Err))
	default:
		panic("millrace: unknown action " + a.String())
	}
	return txn.Event{}, false
}

// membership returns what identifies this process in a commit. The broker checks that a member commits, not that its tasks were never
// out of its hands: a process that was removed and has joined again is a member too.
func (w *worker) membership() (txn.Membership, error) {
	m, err := w.p.group.membership()
	for _, s := range w.slots {
		if err == nil && s.member != m.MemberID {
			err = errNoMember
		}
	}
	return m, err
}

// outcome turns an error into one of two events.
func outcome(err error, ok, failed txn.EventKind) (txn.Event, bool) {
	if err != nil {
		return txn.Event{Kind: failed, Err: err}, true
	}
	return txn.Event{Kind: ok}, true
}

// init makes a producer; InitProducerId ends whatever an older one of the same id left open.
func (w *worker) init(after time.Duration) (txn.Event, bool) {
	if after > 0 {
		select {
		case <-w.p.ctx.Done():
			// The process ends: there is nothing to commit any more.
			return txn.Event{Kind: txn.StopAsked}, true
		case <-time.After(after):
		}
	}
	pr, err := txn.NewProducer(w.p.producerConfig(w.id))
	if err != nil {
		return txn.Event{Kind: txn.InitFailed, Err: err}, true
	}
	w.producer = pr
	if err := pr.Init(w.p.ctx); err != nil {
		w.log.Warn("millrace: producer cannot be initialized yet", "error", err)
		return txn.Event{Kind: txn.InitFailed, Err: err}, true
	}
	return txn.Event{Kind: txn.InitDone}, true
}

// send produces a record of a task in the open transaction, opening one if need be.
func (w *worker) send(s *slot, o *record.Out) {
	if !w.begin() {
		return
	}
	part := o.Partition
	if part < 0 {
		n := max(w.p.topics.partitions(o.Topic), 1)
		if o.Key != nil { // the sink did not know the topic yet
			part = partition.Of(o.Key, n)
		} else { // partitions in turn, some records each
			w.rr++
			part = (w.rr >> 6) % n
		}
	}
	r := w.produce(o.Topic, part, o.Key, o.Value, o.Time, o.Headers, w.producer.Done)
	if w.p.policies {
		w.noteOrigin(s, r)
	}
}

func (w *worker) produce(topic string, part int32, key, value []byte, ms int64, headers []record.Header, done func(*kgo.Record, error)) *kgo.Record {
	r := w.slab.next()
	*r = kgo.Record{Topic: topic, Partition: part, Key: key, Value: value, Timestamp: time.UnixMilli(ms)}
	if len(headers) > 0 {
		r.Headers = make([]kgo.RecordHeader, len(headers))
		for i, h := range headers {
			r.Headers[i] = kgo.RecordHeader(h)
		}
	}
	w.sentBytes += int64(len(key) + len(value) + 64)
	w.producer.Produce(r, done)
	return r
}

// begin opens a transaction when none is open. It reports whether records can be sent.
func (w *worker) begin() bool {
	if w.machine.Phase() == txn.Ready {
		w.step(txn.Event{Kind: txn.Wrote})
	}
	return w.broken == nil && w.producer != nil
}

// logger returns what writes the changelog records of a slot.
func (w *worker) logger(s *slot) func(d *decl.Store, e changelog.Entry) {
	return func(d *decl.Store, e changelog.Entry) {
		if !w.begin() {
			return
		}
		out := s.state.logs[d.Name]
		if out.done == nil {
			pr := w.producer
			out.done = func(r *kgo.Record, err error) {
				if err != nil {
					pr.Failed(r, err)
					return
				}
				out.next.Store(r.Offset + 1) // records of a partition are acknowledged in order
			}
		}
		out.moved = true
		w.produce(out.topic, s.id.Partition, e.Key, e.Value, e.Time, e.Headers, out.done)
	}
}

// offsets returns what to commit: the inputs of every task that did anything, also where the offset did not move. A task whose
// timer only wrote must be fenced like any other.
func (w *worker) offsets() []txn.Offset {
	var list []txn.Offset
	for _, s := range w.slots {
		if w.p.cfg.Guarantee != AtMostOnce && !s.task.Dirty() {
			continue
		}
		for _, o := range s.offsets(w.p.cfg.Guarantee) {
			list = append(list, txn.Offset{Topic: o.Topic, Partition: o.Partition, Offset: o.Offset, Epoch: o.Epoch, Metadata: o.Metadata})
		}
	}
	slices.SortStableFunc(list, func(a, b txn.Offset) int {
		switch {
		case a.Topic < b.Topic:
			return -1
		case a.Topic > b.Topic:
			return 1
		}
		return int(a.Partition - b.Partition)
	})
	return list
}

// apply hands the writes of the commit to the stores: Kafka has said that it happened.
func (w *worker) apply() error {
	info := CommitInfo{Worker: w.id, Records: w.records}
	w.tick()
	answered := w.now
	for _, s := range w.slots {
		if !s.task.Dirty() {
			continue
		}
		info.Tasks++
		for _, o := range s.offsets(w.p.cfg.Guarantee) {
			for _, in := range s.inputs {
				if in.tp == o.TP {
					in.offset, in.metadata = o.Offset, o.Metadata
				}
			}
		}
		s.task.Committed()
		if err := s.commitState(w.p.stamp()); err != nil {
			return fmt.Errorf("millrace: task %v: store: %w", s.id, err)
		}
		s.notePositions()
		w.p.trim.committed(s)
	}
	w.tick()
	w.lastCommit = w.now
	w.records, w.sentBytes = 0, 0
	info.Took, info.Stores = w.now.Sub(w.commitAt), w.now.Sub(answered)
	if w.p.cfg.Events.Committed != nil {
		w.p.cfg.Events.Committed(info)
	}
	return nil
}

// commitState commits the slot's databases with the offsets its changelogs have reached.
func (s *slot) commitState(stamp int64) error {
	if s.state == nil {
		return nil
	}
	var disk, mem []store.Checkpoint
	for _, out := range s.state.logs {
		if out.store.Source != "" {
			at := s.committed(task.TP{Topic: out.topic, Partition: s.id.Partition})
			out.moved = at >= 0 && out.next.Swap(at) != at
		}
		if !out.moved {
			continue
		}
		out.moved = false
		ck := store.Checkpoint{Changelog: out.topic, TopicID: out.topicID, Offset: out.next.Load(), Stamp: stamp}
		if out.store.InMemory {
			mem = append(mem, ck)
		} else {
			disk = append(disk, ck)
		}
	}
	if s.state.mem != nil {
		if err := s.state.mem.Commit(mem...); err != nil {
			return err
		}
	}
	if s.state.disk != nil {
		return s.state.disk.Commit(disk...)
	}
	return nil
}

// drop takes back everything since the last commit.
func (w *worker) drop() {
	for _, s := range w.slots {
		s.task.Abort()
		s.state.each(func(db store.DB) { db.Abort() })
		if s.state != nil {
			for _, out := range s.state.logs {
				out.moved, out.done = false, nil
			}
		}
		for _, in := range s.inputs {
			w.settle(in, 0)
		}
	}
	w.records, w.sentBytes, w.broken = 0, 0, nil
	w.forgetOrigins()
	w.lastCommit = w.now
}

// rewind reads all inputs again from the last commit. Records on their way are dropped: their inputs are replaced.
func (w *worker) rewind() {
	for _, s := range w.slots {
		w.unread(s)
		s.renewInputs()
		for _, in := range s.inputs {
			s.task.Resume(in.tp, in.offset, in.metadata)
		}
		w.read(s)
	}
	w.tick()
	w.restUntil = w.now.Add(staleBackoff)
	if o := w.refused; o != nil {
		w.refused = nil
		o.slot.task.Refuse(o.at, o.node, o.err)
	}
}

// renewInputs replaces the slot's inputs by new ones at the same committed positions.
func (s *slot) renewInputs() {
	for i, in := range s.inputs {
		s.inputs[i] = &input{tp: in.tp, slot: s, offset: in.offset, metadata: in.metadata, epoch: in.epoch}
	}
}

// reopen gives all slots back to the opener: what happened is read from Kafka, not remembered.
func (w *worker) reopen() {
	for _, s := range w.slots {
		w.unread(s)
		s.task.Close()
		s.task = nil
		s.renewInputs()
		w.p.reopen(s)
	}
	w.slots = nil
	w.tick()
	w.restUntil = w.now
}

// close gives up tasks: they are committed, or dropped, by now.
func (w *worker) close(a txn.Action) {
	var gone []topology.TaskID
	keep := w.slots[:0:0]
	for _, s := range w.slots {
		if a.All || slices.Contains(a.Tasks, s.id) {
			w.closeSlot(s)
			gone = append(gone, s.id)
		} else {
			keep = append(keep, s)
		}
	}
	w.slots = keep
	if len(gone) > 0 && w.p.cfg.Events.Revoked != nil {
		w.p.cfg.Events.Revoked(gone)
	}
}

func (w *worker) closeSlot(s *slot) {
	w.unread(s)
	s.view.set("closing", "")
	s.task.Close()
	s.task = nil
	w.p.closeState(s)
	w.p.forget(s)
}

// runBatch is at most once: the offsets of everything buffered are committed, now it is processed.
func (w *worker) runBatch() (txn.Event, bool) {
	for _, s := range w.slots {
		for {
			n, err := s.task.Process(quantum)
			w.records += n
			if err != nil {
				return txn.Event{Kind: txn.RecordFailed, Err: err}, true
			}
			if ok, _, _ := s.task.Ready(); !ok {
				break
			}
		}
		w.drain(s)
	}
	if _, err := w.emit(); err != nil {
		return txn.Event{Kind: txn.RecordFailed, Err: err}, true
	}
	return txn.Event{Kind: txn.Ran}, true
}

// explain adds what the user can do to an error that ends the app.
func (w *worker) explain(err error) error {
	var re *topology.RecordError
	switch {
	case errors.As(err, &re), err == nil:
		return err
	case txn.Classify(err) == txn.InstanceFenced:
		return fmt.Errorf("%w: instance id %q joined from elsewhere: was the state directory %s copied or shared? Give each process its own, or set Config.InstanceID: %w",
			ErrFenced, w.p.instanceID, w.p.dir.Path(), err)
	case txn.Classify(err) == txn.Fenced:
		return fmt.Errorf("%w: %w", ErrFenced, err)
	case txn.Classify(err) == txn.Denied:
		if denied := w.p.refusal(err); denied != nil {
			return denied
		}
		return fmt.Errorf("millrace: the cluster refuses: %w", err)
	}
	return err
}

func (p *process) stamp() int64 { return time.Now().UnixMilli() }

// A producer's settings.
func (p *process) producerConfig(worker int) txn.ProducerConfig {
	c := txn.ProducerConfig{
		Client:      p.clientOptions(fmt.Sprintf("producer-%d", worker)),
		Timeout:     p.cfg.TransactionTimeout,
		Group:       p.cfg.ApplicationID,
		Version2:    p.v2,
		MaxBuffered: int(p.cfg.Memory / 8),
		Closing:     &p.closing,
	}
	if p.cfg.Guarantee == ExactlyOnce {
		c.TransactionalID = fmt.Sprintf("%s-%s-%d", p.cfg.ApplicationID, p.dir.ProcessID(), worker)
	}
	return c
}

// initLeftOver ends the transactions of workers of earlier runs that this run does not have.
func (p *process) initLeftOver(ctx context.Context, worker int) error {
	pr, err := txn.NewProducer(p.producerConfig(worker))
	if err != nil {
		return err
	}
	defer pr.Close()
	return pr.Init(ctx)
}
