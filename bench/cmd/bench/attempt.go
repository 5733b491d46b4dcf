package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/measure"
)

// How often committed offsets and CPU are looked at.
const (
	throughputEvery = 50 * time.Millisecond
	recoveryEvery   = 5 * time.Millisecond
)

// An attempt is one engine on one loaded workload: its own output topic, group and state directory.
type attempt struct {
	*harness
	in     inputs
	engine engine
	opts   contract.Options
	child  *child // the process started last, nil before
}

// prepare creates the output topic and names the rest.
func (h *harness) prepare(ctx context.Context, in inputs, e engine, round int) (*attempt, error) {
	app := fmt.Sprintf("%s-%s-%d", in.topics[0], e.name, round)
	dir, err := os.MkdirTemp(h.dir, "millrace-bench-")
	if err != nil {
		return nil, err
	}
	a := &attempt{harness: h, in: in, engine: e, opts: contract.Options{
		Brokers: h.brokers, Workload: in.workload.Name, In: in.topics, Out: app + "-out", App: app, StateDir: dir,
		Guarantee: h.guarantee, Commit: h.commit, CacheMB: h.cacheMB, Workers: h.workers,
	}}
	if err := h.broker.Create(ctx, a.opts.Out); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close ends the process and deletes what the attempt left.
func (a *attempt) close() {
	if a.child != nil {
		a.child.kill()
	}
	a.clean(a.opts.App)
	if err := os.RemoveAll(a.opts.StateDir); err != nil {
		a.say("not cleaned up: %v", err)
	}
}

// start starts the engine, the first time or again.
func (a *attempt) start() error {
	c, err := startChild(a.engine, a.opts, a.cpus)
	if err != nil {
		return err
	}
	a.child = c
	return nil
}

// watch takes samples of the running engine until one fulfils the condition, which is the last one returned.
func (a *attempt) watch(ctx context.Context, every time.Duration, until func(measure.Sample) bool) ([]measure.Sample, error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var samples []measure.Sample
	var lastErr error
	for {
		if s, err := a.sample(ctx); err != nil {
			if ctx.Err() == nil {
				lastErr = err // a broker that is busy; the deadline decides
			}
		} else if samples = append(samples, s); until(s) {
			return samples, nil
		}
		select {
		case <-tick.C:
		case <-a.child.done:
			return nil, a.child.ended()
		case <-ctx.Done():
			at := int64(0)
			if len(samples) > 0 {
				at = samples[len(samples)-1].Committed
			}
			return nil, errors.Join(fmt.Errorf("%w: %d of %d records are committed%s",
				context.Cause(ctx), at, a.in.records, a.child.stderr.quote()), lastErr)
		}
	}
}

// sample looks at the engine once: at its offsets first, so that no CPU is missed that they took. Where there is more to
// read than the stream, its last record counts as committed when all of that is.
func (a *attempt) sample(ctx context.Context) (measure.Sample, error) {
	n, err := a.broker.Committed(ctx, a.opts.App, a.in.topics[0])
	if err == nil && n >= a.in.records && a.in.workload.Through {
		var through bool
		if through, err = a.broker.Through(ctx, a.opts.App, a.in.topics...); !through {
			n = a.in.records - 1
		}
	}
	if err != nil {
		return measure.Sample{}, err
	}
	cpu, err := measure.CPU(a.child.pid())
	return measure.Sample{At: time.Now(), Committed: n, CPU: cpu}, err
}

// verify compares the whole output with what is expected.
func (a *attempt) verify(ctx context.Context) error {
	everyUpdate := a.cacheMB == 0
	return a.broker.Verify(ctx, a.opts.Out, a.in.workload.Checker(a.in.records, a.in.start, everyUpdate))
}

// reaches is a condition for watch.
func reaches(n int64) func(measure.Sample) bool {
	return func(s measure.Sample) bool { return s.Committed >= n }
}

// exceeds is a condition for watch.
func exceeds(n int64) func(measure.Sample) bool { return reaches(n + 1) }

// diskSize returns the bytes of all files below dir.
func diskSize(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	return sum, err
}

// removeContents deletes what is in a directory, but not the directory.
func removeContents(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
