package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/internal/conformance"
	"github.com/millrace-streams/millrace/topology"
)

// A Way is how a case is run.
type Way string

const (
	Plain    Way = "plain"    // both phases by Millrace
	Takeover Way = "takeover" // phase 1 is what was recorded, phase 2 is Millrace's
)

// Ways returns all of them.
func Ways() []Way { return []Way{Plain, Takeover} }

// A Run is what came of a case.
type Run struct {
	Case *Case
	Way  Way
	Seen []Result // by phase
	Diff *Diff    // nil: identical
	Err  error    // why it could not be run
	Kept bool     // phase 2 was as without the restart
	Took time.Duration
}

// OK reports whether the case is identical.
func (run *Run) OK() bool { return run.Diff == nil && run.Err == nil }

const (
	caseTimeout  = 5 * time.Minute  // of one case in one way
	cleanTimeout = 30 * time.Second // of removing its topics and its group
)

// A Runner runs cases on a broker. Its methods may be called at the same time, for cases of different apps.
type Runner struct {
	Brokers []string // seed brokers, host:port
}

// Run runs a case. What the app logs goes to log.
func (r Runner) Run(ctx context.Context, c *Case, way Way, log io.Writer) *Run {
	run, began := &Run{Case: c, Way: way}, time.Now()
	if run.Err = c.broken; run.Err == nil {
		ctx, cancel := context.WithTimeout(ctx, caseTimeout)
		defer cancel()
		s, err := dial(r.Brokers)
		if err == nil {
			err = s.run(ctx, run, slog.New(slog.NewTextHandler(log, nil)))
			s.close()
		}
		run.Err = err
	}
	run.Took = time.Since(began)
	return run
}

func (s *session) run(ctx context.Context, run *Run, log *slog.Logger) (err error) {
	c := run.Case
	if err := s.clean(ctx, c.App); err != nil {
		return err
	}
	defer func() { // also when the case has run out of time
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
		defer cancel()
		if e := s.clean(ctx, c.App); err == nil {
			err = e
		}
	}()
	if err := s.create(ctx, c.user()); err != nil {
		return err
	}
	first := 0
	if run.Way == Takeover {
		if err := s.load(ctx, c); err != nil {
			return err
		}
		run.Seen, first = []Result{c.Phases[0].Result}, 1
	}
	for phase := first; phase < len(c.Phases); phase++ {
		seen, err := s.phase(ctx, c, phase, log)
		if err != nil {
			return fmt.Errorf("phase %d: %w", phase+1, err)
		}
		run.Seen = append(run.Seen, seen)
		if phase == 0 {
			made, err := s.internal(ctx, c)
			if err != nil {
				return err
			}
			if run.Diff = c.compareInternal(made); run.Diff != nil {
				return nil
			}
		}
		var before map[string]Topic
		if phase > 0 {
			before = run.Seen[phase-1].Topics
		}
		if run.Diff, run.Kept = c.compare(phase, before, seen); run.Diff != nil {
			return nil
		}
	}
	return nil
}

// phase runs an instance on an empty disk, feeds it, stops it, and returns what it has done.
func (s *session) phase(ctx context.Context, c *Case, phase int, log *slog.Logger) (res Result, err error) {
	before, err := s.ends(ctx, c.App)
	if err != nil {
		return res, err
	}
	app, err := start(c, s.brokers, log)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, app.stop()) }()
	if err := app.ready(ctx); err != nil {
		return res, err
	}
	t, err := s.follow(ctx, c.App)
	if err != nil {
		return res, err
	}
	defer t.close()
	tasks, globals := c.consumed()
	consumed, global := map[string]bool{}, map[string]bool{}
	for _, name := range tasks {
		consumed[name], consumed[c.App+"-"+name] = true, true
	}
	for _, name := range globals {
		global[name] = true
	}
	if _, err := t.rest(ctx, consumed, quiet, app.failed); err != nil {
		return res, err
	}
	for i, batch := range c.Phases[phase].Batches {
		t.batch = i
		still := quiet
		var records []*kgo.Record
		for _, in := range batch {
			records = append(records, in.record())
			if global[in.Topic] {
				still = quietGlobal
			}
		}
		if err := s.send(ctx, records); err != nil {
			return res, err
		}
		if _, err := t.rest(ctx, consumed, still, app.failed); err != nil {
			return res, fmt.Errorf("batch %d: %w", i, err)
		}
	}
	t.batch++
	ids, dropped := app.tasks(), app.dropped()
	if err := app.stop(); err != nil {
		return res, err
	}
	m, err := t.rest(ctx, consumed, quiet, func() error { return nil })
	if err != nil {
		return res, fmt.Errorf("after the stop: %w", err)
	}
	res = t.result(before, m)
	res.Tasks, res.Dropped = ids, dropped
	return res, nil
}

// ends returns where the topics of an app end.
func (s *session) ends(ctx context.Context, app string) (map[part]int64, error) {
	topics, err := s.topics(ctx, app)
	if err != nil {
		return nil, err
	}
	t := &tail{s: s, app: app}
	for name := range topics {
		t.names = append(t.names, name)
	}
	m, err := t.marks(ctx)
	return m.high, err
}

// An instance is Millrace as users run it, on a disk of its own.
type instance struct {
	app    *millrace.App
	dir    string
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of Run, once ended is closed
}

func start(c *Case, brokers []string, log *slog.Logger) (*instance, error) {
	built, err := c.program().Build(conformance.Options{})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "millrace-cluster-")
	if err != nil {
		return nil, fmt.Errorf("cluster: no folder for the state of %s: %w", c.App, err)
	}
	app, err := millrace.New(built.Topology, millrace.Config{
		ApplicationID:  c.App,
		Brokers:        brokers,
		CommitInterval: time.Duration(c.Config.CommitMs) * time.Millisecond,
		MaxIdle:        time.Duration(c.Config.TaskIdleMs) * time.Millisecond,
		Workers:        c.Config.Threads,
		StateDir:       dir,
		Memory:         32 << 20,
		OnStop:         millrace.StopLeave, // the next instance has another disk, and so another name
		Logger:         log,
	})
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("cluster: %s: %w", c.App, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &instance{app: app, dir: dir, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(i.ended)
		i.err = app.Run(ctx)
	}()
	return i, nil
}

// ready waits until all tasks run.
func (i *instance) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	if err := i.app.WaitFor(ctx, millrace.Running); err != nil {
		return errors.Join(err, i.failed(), i.app.Ready())
	}
	return nil
}

// failed returns why the app has ended.
func (i *instance) failed() error {
	select {
	case <-i.ended:
		if i.err == nil {
			return errors.New("cluster: the app has ended")
		}
		return i.err
	default:
		return nil
	}
}

// stop ends the app as its users do, and forgets its disk. It may be called again.
func (i *instance) stop() error {
	i.cancel()
	<-i.ended
	os.RemoveAll(i.dir)
	return i.err
}

func (i *instance) tasks() map[string][]string {
	tasks := map[string][]string{}
	for _, t := range i.app.Tasks() {
		id := name(t.ID)
		for _, p := range t.Positions {
			tasks[id] = append(tasks[id], p.Topic+"/"+strconv.Itoa(int(p.Partition)))
		}
		slices.Sort(tasks[id])
	}
	return tasks
}

func name(id topology.TaskID) string { return fmt.Sprintf("%d_%d", id.Subtopology, id.Partition) }

// dropped counts what Kafka Streams counts.
func (i *instance) dropped() (n int64) {
	for d, count := range i.app.Dropped() {
		if conformance.Counted(d.Reason) {
			n += count
		}
	}
	return n
}
