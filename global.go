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
	"github.com/millrace-streams/millrace/internal/global"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

// globals are the global tables of a process. They are complete before it joins its group, so before any task runs, and
// follow their topics from then on:
//
//	open ──► restore: from the positions on disk to the ends of the topics ──► follow, until the process ends ──► close
//
// restore and follow read with one client, on one goroutine; tasks read the tables through views.
type globals struct {
	p       *process
	cl      *kgo.Client
	tables  []*globalTable
	flushAt time.Time // when what was read is made durable; zero: nothing was
}

// A globalTable is one of them, and how far it has read.
type globalTable struct {
	*global.Table
	g       *graph.Global
	topicID [16]byte
	next    []int64 // by partition: the next offset to read
	end     []int64 // by partition: where the restore ends
	count   int64   // records restored
}

// globalPartition stands for all partitions in the name of a global table's folder.
const globalPartition = -1

// openGlobals opens the databases of all global tables, and fills them.
func (p *process) openGlobals() error {
	if len(p.plan.Globals) == 0 {
		return nil
	}
	gs := &globals{p: p}
	p.globals = gs
	for _, g := range p.plan.Globals {
		db, err := p.openGlobal(g.Store)
		if err != nil {
			return fmt.Errorf("millrace: global table %q: %w", g.Store.Name, err)
		}
		gs.tables = append(gs.tables, &globalTable{g: g, Table: global.New(global.Config{
			Global: g, DB: db, Policy: p.cfg.OnError, OnError: p.recordError, OnDrop: p.app.drops.count,
		})})
	}
	parts := map[string]map[int32]kgo.Offset{}
	for _, t := range gs.tables {
		if err := gs.resume(t); err != nil {
			return fmt.Errorf("millrace: global table %q: %w", t.g.Store.Name, err)
		}
		parts[t.g.Topic] = map[int32]kgo.Offset{}
		for i, next := range t.next {
			parts[t.g.Topic][int32(i)] = kgo.NewOffset().At(next)
		}
	}
	cl, err := txn.NewClient(append(append(p.clientOptions("global"), readOptions()...), kgo.ConsumePartitions(parts))...)
	if err != nil {
		return &ConfigError{"Client", err.Error()}
	}
	gs.cl = cl
	return gs.restore()
}

func (p *process) openGlobal(d *decl.Store) (store.DB, error) {
	if d.InMemory {
		return memstore.Open(d.Name), nil
	}
	return p.openDisk(p.dir.TaskPath([]string{d.Name}, globalPartition), []string{d.Name})
}

// view returns the database in which a task finds the rows of a global table, nil if there is no such table.
func (gs *globals) view(d *decl.Store) store.DB {
	if gs == nil {
		return nil
	}
	i := slices.IndexFunc(gs.tables, func(t *globalTable) bool { return t.g.Store == d })
	if i < 0 {
		return nil
	}
	return gs.tables[i].View()
}

// resume decides where to go on reading. The rows of one partition cannot be told from those of others: where one must be
// read anew, all are.
func (gs *globals) resume(t *globalTable) error {
	p, topic := gs.p, t.g.Topic
	tps := make([]task.TP, p.topics.partitions(topic))
	for i := range tps {
		tps[i] = task.TP{Topic: topic, Partition: int32(i)}
	}
	var starts, ends map[task.TP]int64
	var keep map[string]time.Duration
	err := p.insist(p.ctx, func(error) {}, func() error {
		ids, err := p.topicIDs(p.ctx, topic)
		if err != nil {
			return err
		}
		t.topicID = ids[topic]
		if starts, err = p.listStarts(p.ctx, tps); err != nil {
			return err
		}
		if ends, err = p.listEnds(p.ctx, tps, false); err != nil {
			return err
		}
		keep, err = p.deleteRetention(p.ctx, []string{topic})
		return err
	})
	if err != nil {
		return err
	}
	t.next, t.end = make([]int64, len(tps)), make([]int64, len(tps))
	wipe := ""
	for i, tp := range tps {
		at, found := t.Checkpoint(tp.Partition)
		log := changelog.Log{TopicID: t.topicID, Start: starts[tp], End: ends[tp], DeleteRetention: keep[topic]}
		plan := changelog.Resume(at, found, log, p.stamp())
		t.next[i], t.end[i] = plan.From, ends[tp]
		if plan.Wipe {
			wipe = fmt.Sprintf("partition %d: %s", i, plan.Why)
		}
	}
	if wipe != "" {
		p.log.Warn("millrace: global table wiped, to be rebuilt from its topic", "store", t.g.Store.Name, "why", wipe)
		for i, tp := range tps {
			t.next[i] = starts[tp]
		}
		return t.Wipe(int32(len(tps)))
	}
	return nil
}

// done reports whether a restore has reached the end of every partition.
func (t *globalTable) done() bool {
	for i, end := range t.end {
		if t.next[i] < end {
			return false
		}
	}
	return true
}

// restore reads until every table has reached the ends of its topic.
func (gs *globals) restore() error {
	p, began := gs.p, time.Now()
	moved, hung := time.Now(), false
	for _, t := range gs.tables {
		for !t.done() {
			ctx, cancel := context.WithTimeout(p.ctx, tailAfter)
			n, err := gs.read(ctx, true)
			cancel()
			switch {
			case p.ctx.Err() != nil:
				return context.Cause(p.ctx)
			case err != nil:
				return err
			case n > 0:
				moved = time.Now()
			case time.Since(moved) > tailAfter:
				if gs.lookForEnds(t) {
					moved = time.Now()
				}
			}
			if still := time.Since(moved); still > p.hangAfter() && !hung {
				hung = true
				for i, end := range t.end {
					if t.next[i] < end {
						p.hanging(task.TP{Topic: t.g.Topic, Partition: int32(i)}, still, false)
					}
				}
			}
		}
		p.log.Info("millrace: restored", "global", t.g.Store.Name, "replayed", t.count, "took", time.Since(began).Round(time.Millisecond))
		if p.cfg.Events.Restoring != nil {
			p.cfg.Events.Restoring(RestoreInfo{
				Task:  topology.TaskID{Subtopology: -1, Partition: globalPartition},
				Store: t.g.Store.Name, Records: t.count, Elapsed: time.Since(began), Done: true,
			})
		}
	}
	return nil
}

// lookForEnds fetches once by itself where a restore makes no progress: the end of a log may be records that nobody sees.
func (gs *globals) lookForEnds(t *globalTable) (moved bool) {
	for i := range t.next {
		if t.next[i] >= t.end[i] {
			continue
		}
		recs, next, err := gs.p.tail(gs.p.ctx, task.TP{Topic: t.g.Topic, Partition: int32(i)}, t.next[i])
		if err != nil || next <= t.next[i] {
			continue // asked again with the next look
		}
		if err := gs.take(t, int32(i), recs, next, true); err != nil {
			gs.p.fail(err)
			return false
		}
		moved = true
	}
	return moved
}

// globalFlush is how long what was read may wait to become durable: what is not is read again after a crash.
const globalFlush = 30 * time.Second

// follow applies what comes until ctx ends.
func (gs *globals) follow(ctx context.Context) {
	for ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, globalFlush)
		_, err := gs.read(poll, false)
		cancel()
		if err == nil && !gs.flushAt.IsZero() && time.Now().After(gs.flushAt) {
			gs.flushAt = time.Time{}
			for _, t := range gs.tables {
				err = errors.Join(err, t.Flush(gs.p.stamp()))
			}
		}
		if err != nil && ctx.Err() == nil {
			gs.p.fail(err)
			return
		}
	}
}

// close flushes and closes the databases. No task may be running.
func (gs *globals) close() error {
	if gs == nil {
		return nil
	}
	if gs.cl != nil {
		gs.cl.Close()
	}
	var errs []error
	for _, t := range gs.tables {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}
