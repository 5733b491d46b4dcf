package millrace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
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
		DB:            func(d *decl.Store) store.DB { return s.state.db(d) },
		Send:          func(o *record.Out) { s.worker.send(s, o) },
		Partitions:    p.topics.partitions,
		Policy:        p.cfg.OnError,
		MaxIdle:       p.cfg.MaxIdle,
		Now:           time.Now,
		Logger:        p.log.With("task", s.id),
		OnError:       p.recordError,
		OnDrop:        p.app.drops.count,
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
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := ask()
		var topic *TopicError
		if err == nil || errors.As(err, &topic) || txn.Classify(err) == txn.Denied {
			return err
		}
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		s.view.set("opening", err.Error())
		p.log.Debug("millrace: opening a task waits", "task", s.id, "error", err)
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-time.After(wait):
		}
	}
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

// openState opens the slot's databases, if it has stores and they are not open yet.
func (p *process) openState(s *slot) error {
	if len(s.sub.Stores) == 0 || s.state != nil {
		return nil
	}
	var disk, mem []string
	for _, d := range s.sub.Stores {
		if d.InMemory {
			mem = append(mem, d.Name)
		} else {
			disk = append(disk, d.Name)
		}
	}
	st := &state{logs: map[string]*changelogOut{}}
	if len(mem) > 0 {
		st.mem = memstore.Open(mem...)
	}
	if len(disk) > 0 {
		st.path = p.dir.TaskPath(disk, s.id.Partition)
		if err := p.paths.take(s.ctx, st.path); err != nil {
			return err
		}
		db, err := p.openDisk(st.path, disk)
		if err != nil {
			p.paths.give(st.path)
			return err
		}
		st.disk = db
	}
	s.state = st
	for _, d := range s.sub.Stores {
		if d.NoChangelog && !d.InMemory && !st.disk.Clean() {
			p.log.Warn("millrace: store without a changelog begins empty after an unclean stop", "task", s.id, "store", d.Name)
			if err := st.disk.Wipe(d.Name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// openDisk opens a database; one that cannot be read is set aside and rebuilt from the changelogs.
func (p *process) openDisk(path string, stores []string) (store.DB, error) {
	options := pebblestore.Options{Databases: p.databases}
	db, err := p.engine.Open(path, stores, options)
	var corrupt *store.CorruptError
	if errors.As(err, &corrupt) {
		aside, e := p.dir.SetAside(path)
		if e != nil {
			return nil, errors.Join(err, e)
		}
		p.log.Error("millrace: state cannot be read, it is rebuilt from its changelogs", "kept", aside, "error", err)
		db, err = p.engine.Open(path, stores, options)
	}
	return db, err
}

// closeState closes a slot's databases on a goroutine of their own: flushing takes its time, and nothing waits for it but the next
// opening of the same directory, and the end of the process.
func (p *process) closeState(s *slot) {
	st := s.state
	s.state = nil
	if st == nil {
		return
	}
	p.closers.Go(func() {
		if st.mem != nil {
			_ = st.mem.Close() // memory: nothing to lose
		}
		if st.disk != nil {
			if err := st.disk.Close(); err != nil {
				p.log.Error("millrace: close state", "task", s.id, "error", err)
			}
			p.paths.give(st.path)
		}
	})
}

// restore brings every logged store of a slot up to the end of its changelog.
func (p *process) restore(s *slot) error {
	var logged []*decl.Store
	var tps []task.TP
	var names []string
	for _, d := range s.sub.Stores {
		if d.Logged() {
			name := graph.Changelog(p.cfg.ApplicationID, d)
			logged = append(logged, d)
			names = append(names, name)
			tps = append(tps, task.TP{Topic: name, Partition: s.id.Partition})
		}
	}
	if len(logged) == 0 {
		return nil
	}
	var ids map[string]kadm.TopicID
	var starts, ends map[task.TP]int64
	var keep map[string]time.Duration
	err := p.patiently(s, func() (err error) {
		if ids, err = p.topicIDs(s.ctx, names...); err != nil {
			return err
		}
		if starts, err = p.listStarts(s.ctx, tps); err != nil {
			return err
		}
		if ends, err = p.listEnds(s.ctx, tps, false); err != nil {
			return err
		}
		keep, err = p.deleteRetention(s.ctx, names)
		return err
	})
	if err != nil {
		return err
	}
	left := map[task.TP]*restoring{}
	for i, d := range logged {
		tp := tps[i]
		db := s.state.db(d)
		at, found := db.Checkpoint(tp.Topic)
		now := p.stamp()
		plan := changelog.Resume(at, found, changelog.Log{TopicID: ids[tp.Topic], Start: starts[tp], End: ends[tp], DeleteRetention: keep[tp.Topic]}, now)
		if plan.Wipe {
			p.log.Warn("millrace: state wiped, to be rebuilt from its changelog", "task", s.id, "store", d.Name, "why", plan.Why)
			if err := db.Wipe(d.Name, tp.Topic); err != nil {
				return err
			}
		}
		if !found || plan.Wipe {
			at = store.Checkpoint{Changelog: tp.Topic, TopicID: ids[tp.Topic], Offset: plan.From, Stamp: now}
		}
		out := s.state.logs[d.Name]
		if out == nil {
			out = &changelogOut{store: d, topic: tp.Topic}
			s.state.logs[d.Name] = out
		}
		out.topicID, out.moved, out.done = ids[tp.Topic], false, nil
		out.next.Store(max(at.Offset, ends[tp]))
		r := &restoring{p: p, slot: s, store: d, began: time.Now(), wiped: plan.Why, from: at.Offset,
			Restore: changelog.NewRestore(at, ends[tp], db.Prefix(d.Name), db)}
		if r.Done() {
			r.report(true)
			continue
		}
		left[tp] = r
	}
	if len(left) == 0 {
		return nil
	}
	return p.replay(s, left)
}

// restoring is one changelog partition on its way into a store.
type restoring struct {
	*changelog.Restore
	p     *process
	slot  *slot
	store *decl.Store
	began time.Time
	said  time.Time
	from  int64
	wiped string
}

// report tells how far it is: at most twice a second, and at the end.
func (r *restoring) report(done bool) {
	now := time.Now()
	if !done && now.Sub(r.said) < 500*time.Millisecond {
		return
	}
	r.said = now
	info := RestoreInfo{Task: r.slot.id, Store: r.store.Name, Position: r.Position(), End: r.End(), Records: r.Count(), Wiped: r.wiped, Elapsed: now.Sub(r.began), Done: done}
	if read := r.Position() - r.from; read > 0 && !done {
		info.Remain = time.Duration(float64(info.Elapsed) / float64(read) * float64(r.End()-r.Position()))
	}
	if done {
		r.p.log.Info("millrace: restored", "task", r.slot.id, "store", r.store.Name, "replayed", r.Count(), "wiped", r.wiped != "", "took", info.Elapsed.Round(time.Millisecond))
	}
	if r.p.cfg.Events.Restoring != nil {
		r.p.cfg.Events.Restoring(info)
	}
}

// replay reads changelogs until every store is at its end.
func (p *process) replay(s *slot, left map[task.TP]*restoring) error {
	select { // so many at once as memory is planned for
	case p.restores <- struct{}{}:
		defer func() { <-p.restores }()
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	s.view.set("restoring", "")
	parts := map[string]map[int32]kgo.Offset{}
	for tp, r := range left {
		parts[tp.Topic] = map[int32]kgo.Offset{tp.Partition: kgo.NewOffset().At(r.Position())}
	}
	opts := append(p.clientOptions("restore"), readOptions()...)
	cl, err := txn.NewClient(append(opts, kgo.ConsumePartitions(parts))...)
	if err != nil {
		return err
	}
	defer p.closing.Go(cl.Close)
	moved, hung := time.Now(), false
	var entries []changelog.Entry
	for len(left) > 0 {
		ctx, cancel := context.WithTimeout(s.ctx, time.Second)
		fs := cl.PollRecords(ctx, 5_000)
		cancel()
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		var failed error
		fs.EachPartition(func(f kgo.FetchTopicPartition) {
			tp := task.TP{Topic: f.Topic, Partition: f.Partition}
			r := left[tp]
			if r == nil || failed != nil {
				return
			}
			if f.Err != nil {
				failed = p.restoreError(cl, tp, r, f.Err)
			}
			if len(f.Records) == 0 || failed != nil {
				return
			}
			entries = entries[:0]
			for _, kr := range f.Records {
				if !kr.Attrs.IsControl() && kr.Offset >= r.Position() { // the client may begin again from further back
					entries = append(entries, changelog.Entry{Key: kr.Key, Value: kr.Value, Time: kr.Timestamp.UnixMilli()})
				}
			}
			moved = time.Now()
			if failed = r.Feed(entries, f.Records[len(f.Records)-1].Offset+1); failed != nil {
				return
			}
			if r.Done() {
				failed = r.Finish(p.stamp())
				delete(left, tp)
			}
			r.report(r.Done())
		})
		if failed != nil {
			return failed
		}
		if still := time.Since(moved); still > p.cfg.TransactionTimeout+hangPatience && !hung {
			hung = true
			for tp := range left {
				p.hanging(tp, still)
			}
			s.view.set("restoring", fmt.Sprintf("a changelog has not moved for %v: a transaction nobody ends holds it back", still.Round(time.Second)))
		}
	}
	return nil
}

// restoreError says what a failed fetch of a changelog means, and has the client read on where it may.
func (p *process) restoreError(cl *kgo.Client, tp task.TP, r *restoring, err error) error {
	var loss *kgo.ErrDataLoss
	if !errors.As(err, &loss) && !errors.Is(err, kerr.OffsetOutOfRange) {
		return topicError(tp, err)
	}
	if lost, listErr := p.outOfRange(tp, r.Position(), err); listErr == nil && lost != nil {
		return lost
	}
	cl.RemoveConsumePartitions(map[string][]int32{tp.Topic: {tp.Partition}})
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{tp.Topic: {tp.Partition: kgo.NewOffset().At(r.Position())}})
	return nil
}

// deleteRetention returns how long each changelog keeps tombstones after compaction.
func (p *process) deleteRetention(ctx context.Context, names []string) (map[string]time.Duration, error) {
	out := map[string]time.Duration{}
	var ask []string
	p.mu.Lock()
	for _, n := range names {
		if d, ok := p.retention[n]; ok {
			out[n] = d
		} else {
			ask = append(ask, n)
		}
	}
	p.mu.Unlock()
	if len(ask) > 0 {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		resp, err := p.adm.DescribeTopicConfigs(ctx, ask...)
		if err != nil {
			return nil, fmt.Errorf("read the settings of %v: %w", ask, err)
		}
		for _, n := range ask {
			out[n] = 24 * time.Hour // Kafka's default, also when we may not look
			rc, err := resp.On(n, nil)
			if err != nil {
				continue
			}
			for _, c := range rc.Configs {
				if c.Key == "delete.retention.ms" {
					if ms, err := strconv.ParseInt(c.MaybeValue(), 10, 64); err == nil {
						out[n] = time.Duration(ms) * time.Millisecond
					}
				}
			}
		}
	}
	p.mu.Lock()
	maps.Copy(p.retention, out)
	p.mu.Unlock()
	return out, nil
}

func (p *process) recordError(e *topology.RecordError, a topology.Action) {
	p.log.Warn("millrace: record failed", "task", e.Task, "record", e.Position, "node", e.Node, "at", e.At, "action", a, "error", e.Err)
	if p.cfg.Events.Record != nil {
		p.cfg.Events.Record(e, a)
	}
}
