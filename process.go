package millrace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/assign"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/statedir"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store/pebblestore"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

const (
	// rebalanceTimeout is how long the group waits for a member to answer a rebalance, revokeBudget how long this process
	// takes at most: a slow peer must not time out everybody's transactions.
	rebalanceTimeout = 15 * time.Second
	revokeBudget     = 3 * time.Second
	// parallelRestores bounds the stores being filled at once.
	parallelRestores = 4
)

// A process is one run of an app: its clients, its workers, and the slots of the tasks assigned to it.
//
// Lock order: process.mu before worker mailboxes and reader.mu; nothing is called out to with process.mu held but
// Events.State.
type process struct {
	app  *App
	cfg  Config
	plan *graph.Plan
	log  *slog.Logger

	ctx    context.Context // ends when the process must stop; its cause says why
	cancel context.CancelCauseFunc

	dir        *statedir.Dir
	engine     *pebblestore.Engine
	admin      *kgo.Client // requests that belong to no other client
	adm        *kadm.Client
	v2         bool // transactions of version 2
	instanceID string
	databases  int             // expected at once
	stored     []assign.Stored // changelogs on disk when the process started
	topics     *topics
	globals    *globals // nil without global tables
	reader     *reader
	group      *group
	ends       *endsAsker
	trim       *trimmer
	workers    []*worker
	policies   bool // an error policy may be asked
	paths      *pathLocks
	txnBudget  int64 // bytes one transaction of one worker may hold before it is committed

	started  sync.WaitGroup // workers whose producers are initialized
	openers  sync.WaitGroup
	closers  sync.WaitGroup // databases being closed
	closing  sync.WaitGroup // clients being closed
	restores chan struct{}

	mu        sync.Mutex // never held across a request
	owned     map[task.TP]bool
	slots     map[topology.TaskID]*slot
	assigned  bool // an assignment has come
	held      bool // between the end of a generation and the next assignment
	stopping  bool
	retention map[string]time.Duration // delete.retention.ms by changelog
}

func newProcess(a *App) *process {
	p := &process{app: a, cfg: a.cfg, plan: a.plan, log: a.cfg.Logger.With("application", a.cfg.ApplicationID),
		owned: map[task.TP]bool{}, slots: map[topology.TaskID]*slot{}, retention: map[string]time.Duration{},
		restores: make(chan struct{}, parallelRestores), paths: newPathLocks(), policies: hasPolicies(a.plan, a.cfg)}
	return p
}

// run runs the app until ctx ends or something fails for good.
func (p *process) run(ctx context.Context) (err error) {
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	defer p.cancel(nil)
	if err := p.openDirectory(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.dir.Close()) }()
	p.engine = pebblestore.NewEngine(p.cfg.Memory/2, p.log)
	defer func() { err = errors.Join(err, p.engine.Close()) }()
	defer p.closers.Wait()
	defer p.closing.Wait()

	if p.admin, err = txn.NewClient(p.clientOptions("admin")...); err != nil {
		return &ConfigError{"Client", err.Error()}
	}
	defer p.admin.Close()
	p.adm = kadm.NewClient(p.admin)
	if err := p.connect(p.ctx); err != nil {
		return p.ended(err)
	}
	if p.v2, err = txn.TransactionVersion2(p.ctx, p.admin); err != nil {
		return p.ended(err)
	}
	if p.topics, err = p.resolveTopics(p.ctx); err != nil {
		return p.ended(err)
	}
	for _, sub := range p.plan.Subs {
		if len(sub.Stores) > 0 {
			p.databases += int(p.topics.widest(sub.ID))
		}
	}
	for _, g := range p.plan.Globals {
		if !g.Store.InMemory {
			p.databases++
		}
	}
	if err := p.readDisk(); err != nil {
		return fmt.Errorf("millrace: %w", err)
	}
	defer func() { err = errors.Join(err, p.globals.close()) }()
	if err := p.openGlobals(); err != nil {
		return p.ended(err)
	}
	if err := p.startWorkers(); err != nil {
		return p.ended(err)
	}
	p.trim = newTrimmer(p)
	p.group = &group{p: p}
	p.ends = newEndsAsker(p)
	if p.reader, err = newReader(p); err != nil {
		p.stopWorkers()
		return err
	}
	defer p.reader.cl.Close()
	side, stopSide := context.WithCancel(context.WithoutCancel(ctx))
	var sides sync.WaitGroup
	sides.Go(func() { p.reader.run(side) })
	sides.Go(func() { p.ends.run(side) })
	sides.Go(func() { p.trim.run(side) })
	sides.Go(func() { p.watchInputs(side) })
	if p.globals != nil {
		sides.Go(func() { p.globals.follow(side) })
	}

	if err = p.join(); err == nil {
		<-p.ctx.Done()
	}
	p.app.state.set(Stopping)
	p.shutdown()
	stopSide()
	sides.Wait()
	if err != nil {
		return err
	}
	return p.ended(nil)
}

// ended says why the process ended: nil when it was asked to.
func (p *process) ended(err error) error {
	cause := context.Cause(p.ctx)
	var f failure
	switch {
	case errors.As(cause, &f):
		return f.err
	case cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded):
		return cause
	case p.ctx.Err() != nil:
		return nil
	}
	return err
}

// fail ends the process with an error; the first counts.
func (p *process) fail(err error) {
	if err == nil {
		return
	}
	p.cancel(failure{err})
}

// A failure is why a process ends by itself. What it wraps may be the end of a context, of user code that waited in vain: it is
// an error all the same.
type failure struct{ err error }

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

// openDirectory takes a slot of the state directory, and with it the process id.
func (p *process) openDirectory() error {
	dir, err := statedir.Open(p.cfg.StateDir, p.cfg.ApplicationID)
	if err != nil {
		return fmt.Errorf("millrace: %w", err)
	}
	p.dir = dir
	if w := dir.Warning(); w != "" {
		p.log.Warn("millrace: " + w)
	}
	p.instanceID = p.cfg.InstanceID
	if p.instanceID == "" {
		p.instanceID = dir.ProcessID()
	}
	p.txnBudget = p.cfg.Memory / 8 / int64(p.cfg.Workers)
	return nil
}

// startWorkers initializes the producers of all workers, and of those that earlier runs had: no offset is read before every
// transaction a former self of this process left open is over.
func (p *process) startWorkers() error {
	before := p.dir.MaxWorker()
	if err := p.dir.RecordWorkers(p.cfg.Workers - 1); err != nil {
		return fmt.Errorf("millrace: %w", err)
	}
	for i := range p.cfg.Workers {
		p.workers = append(p.workers, newWorker(p, i))
	}
	p.started.Add(p.cfg.Workers)
	for _, w := range p.workers {
		go w.run() // ends in stopWorkers
	}
	if p.cfg.Guarantee == ExactlyOnce {
		var left sync.WaitGroup
		for i := p.cfg.Workers; i <= before; i++ {
			left.Go(func() {
				if err := p.initLeftOver(p.ctx, i); err != nil {
					if denied := p.refusal(err); denied != nil {
						err = denied
					}
					p.fail(fmt.Errorf("millrace: end transactions of worker %d of an earlier run: %w", i, err))
				}
			})
		}
		left.Wait()
	}
	p.started.Wait()
	if p.ctx.Err() != nil {
		p.stopWorkers()
		return context.Cause(p.ctx)
	}
	return nil
}

// shutdown commits and closes everything, then leaves the group or keeps its place.
func (p *process) shutdown() {
	p.mu.Lock()
	p.stopping = true
	for _, s := range p.slots {
		if s.cancel != nil {
			s.cancel()
		}
	}
	p.mu.Unlock()
	p.openers.Wait()
	p.stopWorkers()
	p.group.close(p.leaves())
}

// leaves reports whether the group is left at the end.
func (p *process) leaves() bool {
	if p.cfg.OnStop != StopDefault {
		return p.cfg.OnStop == StopLeave
	}
	return !slices.ContainsFunc(p.plan.Subs, func(s *graph.Sub) bool { return len(s.Stores) > 0 })
}

func (p *process) stopWorkers() {
	for _, w := range p.workers {
		w.mail.put(mailStop{})
	}
	for _, w := range p.workers {
		<-w.done
		w.answerRest()
	}
}

// ready says why not every task is running.
func (p *process) ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopping:
		return fmt.Errorf("%w: stopping", ErrNotRunning)
	case !p.assigned && p.group.refused.Load() != 0:
		return errForeign
	case !p.assigned:
		return errors.New("millrace: not ready: waiting for an assignment of the group")
	}
	for _, id := range sortedTasks(p.slots) {
		v := &p.slots[id].view
		v.mu.Lock()
		status, why := v.status, v.why
		v.mu.Unlock()
		if status != "running" {
			if why != "" {
				why = ": " + why
			}
			return fmt.Errorf("millrace: not ready: task %v is %s%s", id, status, why)
		}
	}
	return nil
}

func sortedTasks(m map[topology.TaskID]*slot) []topology.TaskID {
	var ids []topology.TaskID
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareTasks)
	return ids
}

func (p *process) taskInfos() []TaskInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	var infos []TaskInfo
	for _, id := range sortedTasks(p.slots) {
		s := p.slots[id]
		s.view.mu.Lock()
		infos = append(infos, TaskInfo{ID: id, Status: s.view.status, Why: s.view.why, Worker: s.worker.id, Positions: slices.Clone(s.view.positions)})
		s.view.mu.Unlock()
	}
	return infos
}

// notePositions keeps the committed positions for others to see.
func (s *slot) notePositions() {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.view.positions = s.view.positions[:0]
	for _, in := range s.inputs {
		s.view.positions = append(s.view.positions, topology.Position{Topic: in.tp.Topic, Partition: in.tp.Partition, Offset: in.offset})
	}
}

// offsets returns what a commit of the slot covers.
func (s *slot) offsets(g Guarantee) []task.Offset {
	if g == AtMostOnce {
		return s.task.Ahead()
	}
	return s.task.Offsets()
}
