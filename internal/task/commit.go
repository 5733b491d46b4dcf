package task

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Dirty reports whether there is something to commit: offsets moved, rows written, records sent.
func (t *Task) Dirty() bool {
	if t.sent {
		return true
	}
	for _, in := range t.inputs {
		if in.known && in.offset() != in.committed.offset {
			return true
		}
	}
	for _, db := range t.dbs {
		if db.Wrote() {
			return true
		}
	}
	return len(t.logs) > 0
}

// Emit forwards the dirty rows of tables that forward once per commit, those of earlier nodes first: what they write
// further down is forwarded in turn. Call it before Changelog. An error is fatal whatever the error policies say, since
// there is no record to skip: a row is what many records made of it. It names the last record taken up.
func (t *Task) Emit() error {
	t.clock = time.Time{}
	if err := t.usable(); err != nil {
		return err
	}
	for i := range t.atCommit {
		if c := t.emit(&t.atCommit[i]); c != nil {
			node, e := t.recordError(c)
			_, t.failed = t.decide(node, e, false)
			return t.failed
		}
	}
	return nil
}

func (t *Task) emit(h *hook) (c *caught) {
	defer func() {
		if p := recover(); p != nil {
			c = catch(p)
		}
	}()
	t.stage = emitting
	t.meta = record.Meta{Time: t.eventTime(), Node: int32(h.node.ID)}
	h.f()
	if t.broken != nil {
		return &caught{node: int32(h.node.ID), hasNode: true}
	}
	t.stage = idle
	return nil
}

// eventTime is that of what no record in hand brought about: stream time, or the time of day while there is none, since
// Kafka takes no negative timestamp.
func (t *Task) eventTime() int64 {
	if t.streamTime < 0 {
		return t.now().UnixMilli()
	}
	return t.streamTime
}

// Changelog calls f for each dirty row of stores with a changelog, once per row identity, store by store, in the order
// of the first write, and then for what operators logged beside rows. Entries are as the topic has them, their slices
// valid after the call; a nil value deletes. The time of a deletion is that of the record that deleted last.
//
// A row that was not there at the last commit and is not there now is left out (but see Config.LogAbsent). One that was written again as it was is
// not: without transactions, another owner's late write may lie between.
func (t *Task) Changelog(f func(s *decl.Store, e changelog.Entry)) {
	t.clock = time.Time{}
	for i := range t.stores {
		s := &t.stores[i]
		if !s.decl.Logged() {
			continue
		}
		s.db.Dirty(s.prefix, func(d store.Dirty) bool {
			at := int64(0)
			if !d.Has {
				if !d.Had && !(t.c.LogAbsent && s.decl.NoCache) || t.c.LogAbsent && t.isBuried(d.Key) {
					return true
				}
				at = t.deletedAt(d.Key)
			}
			if d.Has && len(d.Value) < layout.TimeLen {
				panic(fmt.Sprintf("task: a row of store %q has %d bytes: want its time and its value", s.decl.Name, len(d.Value)))
			}
			if e, ok := s.format.Record(&t.arena, d.Key[len(s.prefix):], d.Value, d.Has, at); ok {
				if !d.Has && s.decl.Headers {
					e.Headers = t.deletedWith(d.Key)
				}
				f(s.decl, e)
			}
			return true
		})
	}
	for i := range t.logs {
		f(t.logs[i].store, t.logs[i].entry)
	}
}

// Offsets returns what to commit, one per input of which anything was ever read, whether it moved or not: the task that wrote
// anything at all must commit offsets, or nothing fences the transaction of an owner that is not the owner any more. A
// task that wrote before it has read anything commits where it stands. Records must not be processed between Offsets and
// Committed.
func (t *Task) Offsets() []Offset {
	offsets := make([]Offset, 0, len(t.inputs))
	times := t.times()
	for _, in := range t.inputs {
		if in.known {
			in.offered = in.offset()
			if in.noted() {
				offsets = append(offsets, in.place(times))
			}
		}
	}
	if len(offsets) > 0 {
		return offsets
	}
	for _, in := range t.inputs {
		if in.known {
			offsets = append(offsets, in.place(times))
		}
	}
	return offsets
}

// noted reports whether there is anything to note of an input: it has moved, or an offset was committed that says so. As in
// Kafka Streams, the group knows nothing of partitions that were always empty.
func (in *input) noted() bool { return in.told || in.offered != in.committed.offset }

// place returns what to commit of an input.
func (in *input) place(times map[string]int64) Offset {
	return Offset{TP: in.tp, Offset: in.offered, Epoch: in.epoch, Metadata: metadata{in.time, times}.seal(in.tp, in.offered).encode()}
}

// Committed tells that the transaction is committed, with what Offsets returned last. The caller commits the databases.
func (t *Task) Committed() {
	for _, in := range t.inputs {
		in.told = in.noted()
		in.committed.offset, in.committed.time, in.committed.epoch = in.offered, in.time, in.epoch
	}
	t.committed.streamTime = t.streamTime
	t.ahead.batch = false
	t.settleTimers()
	t.settleClocks()
	t.sent, t.commit = false, false
	t.last = topology.Position{Offset: -1}
	t.forgetRefused()
}

// Abort drops buffered records and everything since the last commit: times, timers, outputs held back. The caller aborts the
// databases and then calls Resume for each input; until then the task stands still. An error of a storage engine stays.
func (t *Task) Abort() {
	for _, in := range t.inputs {
		t.drain(in)
		in.known = false
		in.time, in.epoch = in.committed.time, in.committed.epoch
		in.forgetEnd()
	}
	t.forgetAhead()
	t.lost = len(t.inputs)
	t.gate = gate{}
	t.retry = hold{}
	t.streamTime = t.committed.streamTime
	t.idle.since = time.Time{}
	t.resetTimers()
	t.resetClocks()
	clear(t.outs)
	t.outs = t.outs[:0]
	t.releasing = false
	t.stage = idle
	t.sent, t.commit = false, false
	t.last = topology.Position{Offset: -1}
	t.failed = nil
	t.rolledBack()
}

// forgetRefused drops the refusals of records that are committed.
func (t *Task) forgetRefused() {
	if len(t.refused) == 0 {
		return
	}
	left := t.refused[:0]
	for _, r := range t.refused {
		if in := t.byTP[TP{r.at.Topic, r.at.Partition}]; in != nil && r.at.Offset >= in.committed.offset {
			left = append(left, r)
		}
	}
	clear(t.refused[len(left):])
	t.refused = left
}
