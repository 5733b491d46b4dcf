package millrace

import (
	"context"
	"errors"
	"sync"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/topology"
)

// An App is a topology being run by this process as a member of its consumer group. Its methods are safe for concurrent use.
type App struct {
	cfg   Config
	plan  *graph.Plan
	state stateBox
	drops drops

	mu      sync.Mutex
	started bool
	proc    *process // while running
}

// New checks the config against the topology. It opens nothing and talks to nobody; Run does. Its errors are *ConfigError, joined.
func New(t *topology.Topology, c Config) (*App, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &App{cfg: c, plan: (*graph.Plan)(t)}
	a.state.notify = func(from, to State) {
		c.Logger.Info("millrace: state", "application", c.ApplicationID, "from", from, "to", to)
		if c.Events.State != nil {
			c.Events.State(from, to)
		}
	}
	return a, nil
}

// Run runs the app until ctx ends (then it commits, closes its tasks and returns nil) or the app fails. It may be called once.
func (a *App) Run(ctx context.Context) error {
	a.mu.Lock()
	if a.started {
		a.mu.Unlock()
		return errors.New("millrace: Run was called before: an App runs once, make a new one")
	}
	a.started = true
	a.mu.Unlock()

	a.state.set(Rebalancing)
	p := newProcess(a)
	a.mu.Lock()
	a.proc = p
	a.mu.Unlock()
	err := p.run(ctx)
	a.mu.Lock()
	a.proc = nil
	a.mu.Unlock()
	if err != nil {
		a.cfg.Logger.Error("millrace: failed", "application", a.cfg.ApplicationID, "error", err)
		a.state.set(Failed)
		return err
	}
	a.state.set(Stopped)
	return nil
}

// State returns the present state.
func (a *App) State() State { return a.state.get() }

// WaitFor blocks until the app has reached state s. It returns ErrNotRunning when the app ended otherwise, and an error that
// wraps ctx's when ctx ends first.
func (a *App) WaitFor(ctx context.Context, s State) error { return a.state.wait(ctx, s) }

// Ready reports whether every task of this process is running, and if not, why: for the readiness probe of a service.
func (a *App) Ready() error {
	a.mu.Lock()
	p := a.proc
	a.mu.Unlock()
	if p == nil {
		return ErrNotRunning
	}
	return p.ready()
}

// Tasks describes the tasks of this process.
func (a *App) Tasks() []TaskInfo {
	a.mu.Lock()
	p := a.proc
	a.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.taskInfos()
}

// TaskInfo describes a task.
type TaskInfo struct {
	ID        topology.TaskID
	Status    string              // opening, restoring, running, closing
	Why       string              // of a task that does not process: what it waits for; empty when its input is simply drained
	Positions []topology.Position // next record to process, per input
	Worker    int
}
