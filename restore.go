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
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/txn"
)

// restore brings every store of a slot up to the end of its changelog; where the source topic is that, up to what the task
// has processed of it.
func (p *process) restore(s *slot) error {
	var logged []*decl.Store
	var tps []task.TP
	var names []string
	for _, d := range s.sub.Stores {
		if d.Restored() {
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
	for i, d := range logged {
		if d.Source != "" { // what lies behind is still to be processed
			ends[tps[i]] = max(0, s.committed(tps[i]))
		}
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
			Restore: changelog.NewRestore(d, at, ends[tp], db.Prefix(d.Name), db)}
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
	batch []changelog.Entry // reused
	from  int64
	wiped string
}

// take applies the records of a fetch that ended before next.
func (r *restoring) take(recs []*kgo.Record, next int64) error {
	r.batch = r.batch[:0]
	if r.store.Source != "" {
		next = min(next, r.End()) // what lies behind is not processed
	}
	for _, kr := range recs {
		// The client may begin again from further back. A source topic may have records without a key, which are no rows.
		if !kr.Attrs.IsControl() && kr.Offset >= r.Position() && kr.Key != nil && (kr.Offset < r.End() || r.store.Source == "") {
			r.batch = append(r.batch, changelog.Entry{Key: kr.Key, Value: kr.Value, Headers: headersOf(kr), Time: kr.Timestamp.UnixMilli()})
		}
	}
	if err := r.Feed(r.batch, next); err != nil {
		return err
	}
	r.report(r.Done())
	if r.Done() {
		return r.Finish(r.p.stamp())
	}
	return nil
}

// tailAfter without progress, a restore looks for itself where the log ends.
const tailAfter = 500 * time.Millisecond

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
	for len(left) > 0 {
		ctx, cancel := context.WithTimeout(s.ctx, tailAfter)
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
			moved = time.Now()
			failed = r.take(f.Records, f.Records[len(f.Records)-1].Offset+1)
			if r.Done() {
				delete(left, tp)
			}
		})
		if failed != nil {
			return failed
		}
		if time.Since(moved) > tailAfter {
			for tp, r := range left {
				recs, next, err := p.tail(s.ctx, tp, r.Position())
				if err != nil || next <= r.Position() {
					continue // asked again with the next look
				}
				moved = time.Now()
				if err := r.take(recs, next); err != nil {
					return err
				}
				if r.Done() {
					delete(left, tp)
				}
			}
		}
		if still := time.Since(moved); still > p.hangAfter() && !hung {
			hung = true
			for tp := range left {
				p.hanging(tp, still, false)
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
		return p.topicError(tp, err)
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
		settings, err := topicSettings(ctx, p.admin, ask...)
		if err != nil {
			return nil, fmt.Errorf("read the settings of %v: %w", ask, err)
		}
		for _, n := range ask {
			out[n] = 24 * time.Hour // Kafka's default, also when we may not look
			if ms, err := strconv.ParseInt(settings[n]["delete.retention.ms"], 10, 64); err == nil {
				out[n] = time.Duration(ms) * time.Millisecond
			}
		}
	}
	p.mu.Lock()
	maps.Copy(p.retention, out)
	p.mu.Unlock()
	return out, nil
}
