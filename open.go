package millrace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

// Opening a task, in this order because each step bounds the next:
//
//	stable offsets of the inputs ──► ends of the changelogs ──► stores, from their checkpoint to those ends ──► run
//
// Whatever a former owner committed is below the ends, because its offsets were stable before these were asked for.

// startOpening opens a slot on a goroutine of its own, which ends by handing it to the worker, or by failing.
func (p *process) startOpening(s *slot) {
	s.ctx, s.cancel = context.WithCancel(p.ctx)
	s.opened = make(chan struct{})
	s.view.set("opening", "")
	p.openers.Go(func() {
		defer close(s.opened)
		err := p.open(s)
		if err == nil && s.ctx.Err() == nil {
			s.worker.mail.put(mailOpened{s})
			return
		}
		if s.task != nil {
			s.task.Close()
			s.task = nil
		}
		p.closeState(s)
		p.forget(s)
		if err != nil && s.ctx.Err() == nil {
			p.fail(fmt.Errorf("millrace: open task %v: %w", s.id, err))
		}
	})
}

// reopen opens a slot again that a worker gave up after an unknown outcome. Its databases stay open: they hold only what is committed.
func (p *process) reopen(s *slot) {
	p.mu.Lock()
	ours := p.slots[s.id] == s && !s.gone && !p.stopping && p.ctx.Err() == nil
	if ours {
		p.startOpening(s)
		p.updateState()
	}
	p.mu.Unlock()
	if !ours {
		p.closeState(s)
		p.forget(s)
	}
}

func (p *process) open(s *slot) error {
	tps := make([]task.TP, len(s.inputs))
	for i, in := range s.inputs {
		tps[i] = in.tp
	}
	// The task belongs to the membership it is opened under: under a later one, others may have owned it in between.
	err := p.patiently(s, func() error {
		m, err := p.group.membership()
		s.member = m.MemberID
		return err
	})
	if err != nil {
		return err
	}
	got, err := p.stableOffsets(s.ctx, tps, func(why string) { s.view.set("opening", why) })
	if err != nil {
		return err
	}
	fresh := true
	for _, in := range s.inputs {
		c := got[in.tp]
		in.offset, in.metadata, in.epoch = c.offset, c.metadata, c.epoch
		fresh = fresh && c.offset < 0
	}
	if err := p.openState(s); err != nil {
		return err
	}
	if err := p.restore(s); err != nil {
		return err
	}
	if fresh && p.cfg.Guarantee == ExactlyOnce {
		if err := s.mustBeEmpty(p.cfg.ApplicationID); err != nil {
			return err
		}
	}
	if err := p.startInputs(s); err != nil {
		return err
	}
	t, err := task.New(task.Config{
		ID:            s.id,
		Sub:           s.sub,
		ApplicationID: p.cfg.ApplicationID,
		Inputs:        tps,
		DB:            func(d *decl.Store) store.DB { return p.dbOf(s, d) },
		Send:          func(o *record.Out) { s.worker.send(s, o) },
		Partitions:    p.topics.partitions,
		Policy:        p.cfg.OnError,
		MaxIdle:       p.cfg.MaxIdle,
		Now:           time.Now,
		Logger:        p.log.With("task", s.id),
		OnError:       p.recordError,
		OnDrop:        p.app.drops.count,
		Around:        p.cfg.Around,
	})
	if err != nil {
		return err
	}
	for _, in := range s.inputs {
		t.Resume(in.tp, in.offset, in.metadata)
	}
	s.task = t
	s.notePositions()
	return nil
}

// patiently asks Kafka until it answers, or says something that no patience helps against. What it waits for is seen from outside.
func (p *process) patiently(s *slot, ask func() error) error {
	return p.insist(s.ctx, func(why error) {
		s.view.set("opening", why.Error())
		p.log.Debug("millrace: opening a task waits", "task", s.id, "error", why)
	}, ask)
}

// insist is patiently for whoever: it tells why it waits.
func (p *process) insist(ctx context.Context, tell func(why error), ask func() error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := ask()
		var topic *TopicError
		if err == nil || errors.As(err, &topic) || txn.Classify(err) == txn.Denied {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		tell(err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// dbOf returns the database in which the task of a slot finds the rows of a store.
func (p *process) dbOf(s *slot, d *decl.Store) store.DB {
	if d.Global {
		return p.globals.view(d)
	}
	return s.state.db(d)
}

// startInputs gives inputs without a committed offset one. A start that depends on the moment is committed before the first
// record: another look would give another answer.
func (p *process) startInputs(s *slot) error {
	for _, src := range s.sub.Sources {
		var tps []task.TP
		for _, in := range s.inputs {
			if in.offset < 0 && reads(src, in.tp.Topic, p.cfg.ApplicationID) {
				tps = append(tps, in.tp)
			}
		}
		if len(tps) == 0 {
			continue
		}
		var starts map[task.TP]int64
		err := p.patiently(s, func() (err error) {
			starts, err = p.startOffsets(s.ctx, src.Source.Start, tps)
			return err
		})
		if err != nil {
			return fmt.Errorf("find where to start %v: %w", tps, err)
		}
		var commit []txn.Offset
		for _, in := range s.inputs {
			if o, ok := starts[in.tp]; ok && in.offset < 0 {
				in.offset, in.epoch = o, -1
				commit = append(commit, txn.Offset{Topic: in.tp.Topic, Partition: in.tp.Partition, Offset: o, Epoch: -1})
			}
		}
		if src.Source.Start.Kind != graph.Earliest {
			err := p.patiently(s, func() error {
				m, err := p.group.membership()
				if err != nil {
					return err
				}
				return txn.PlainCommit(s.ctx, p.admin, p.cfg.ApplicationID, m, commit)
			})
			if err != nil {
				return fmt.Errorf("commit where to start: %w", err)
			}
		}
	}
	return nil
}

// reads reports whether a source reads a topic.
func reads(n *graph.Node, topic, app string) bool {
	for _, t := range n.Topics {
		if t.Pattern != "" || t.Full(app) == topic {
			return true
		}
	}
	return false
}

// mustBeEmpty refuses to count anew what is already counted: the group's offsets are gone (they expire, or the group was
// deleted) while the state is still there.
func (s *slot) mustBeEmpty(app string) error {
	if s.state == nil {
		return nil
	}
	for _, d := range s.sub.Stores {
		if !d.Logged() {
			continue
		}
		db := s.state.db(d)
		prefix := db.Prefix(d.Name)
		it := db.Range(prefix, prefixEnd(prefix), false)
		some := it.Next()
		if err := it.Close(); err != nil {
			return err
		}
		if some {
			return fmt.Errorf("%w: group %q has no offset for the inputs of task %v, but store %q has rows: reading from the start would count them twice; set the group's offsets with kafka-consumer-groups.sh, or reset the app",
				ErrOffsetsLost, app, s.id, d.Name)
		}
	}
	return nil
}

// prefixEnd returns the first key after all that begin with prefix; nil when there is none.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func (p *process) recordError(e *topology.RecordError, a topology.Action) {
	p.log.Warn("millrace: record failed", "task", e.Task, "record", e.Position, "node", e.Node, "at", e.At, "action", a, "error", e.Err)
	if p.cfg.Events.Record != nil {
		p.cfg.Events.Record(e, a)
	}
}
