package main

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

// restart lets the engine work through half of the input, kills it, starts it on what lies on its disk, stops it in order at
// three quarters, and starts it once more. Nothing is removed by hand in between. What is measured is the time from a
// start to the first offsets that move.
func (a *attempt) restart(ctx context.Context) (values, error) {
	n := a.in.records
	if err := a.start(); err != nil {
		return nil, err
	}
	if _, err := a.watch(ctx, throughputEvery, reaches(n/2)); err != nil {
		return nil, err
	}
	a.child.kill()
	v := values{}
	if err := a.again(ctx, v, killed, killedReplayed, func() error {
		if _, err := a.watch(ctx, throughputEvery, reaches(3*n/4)); err != nil {
			return err
		}
		return a.child.stop(ctx)
	}); err != nil {
		return nil, err
	}
	size, err := diskSize(a.opts.StateDir)
	if err != nil {
		return nil, err
	}
	v[disk] = float64(size) / 1e6
	if err := a.again(ctx, v, stopped, stoppedReplayed, a.finish(ctx)); err != nil {
		return nil, err
	}
	return v, a.verify(ctx)
}

// restore lets the engine work through nine tenths of the input, stops it in order, deletes its state, and starts it again:
// everything comes back from the changelog.
func (a *attempt) restore(ctx context.Context) (values, error) {
	if err := a.start(); err != nil {
		return nil, err
	}
	if _, err := a.watch(ctx, throughputEvery, reaches(a.in.records/10*9)); err != nil {
		return nil, err
	}
	if err := a.child.stop(ctx); err != nil {
		return nil, err
	}
	if err := removeContents(a.opts.StateDir); err != nil {
		return nil, err
	}
	entries, err := a.broker.Logged(ctx, a.opts.App)
	if err != nil {
		return nil, err
	}
	v := values{logged: float64(entries) / 1e6}
	if err := a.again(ctx, v, restored, restoredReplayed, a.finish(ctx)); err != nil {
		return nil, err
	}
	return v, a.verify(ctx)
}

// finish returns what lets the engine use up the input and stops it.
func (a *attempt) finish(ctx context.Context) func() error {
	return func() error {
		if _, err := a.watch(ctx, throughputEvery, reaches(a.in.records)); err != nil {
			return err
		}
		return a.child.stop(ctx)
	}
}

// again starts the engine, notes when offsets move and how much CPU that took, goes on with then, which must end the process,
// and notes what it replayed.
func (a *attempt) again(ctx context.Context, v values, seconds, replayed metric, then func() error) error {
	before, err := a.broker.Settled(ctx, a.opts.App, a.in.topics[0])
	if err != nil {
		return err
	}
	if before >= a.in.records {
		return fmt.Errorf("the input was used up before the engine was ended: use more -records")
	}
	if err := a.start(); err != nil {
		return err
	}
	samples, err := a.watch(ctx, recoveryEvery, exceeds(before))
	if err != nil {
		return err
	}
	first := samples[len(samples)-1]
	v[seconds] = first.At.Sub(a.child.started).Seconds()
	if seconds == restored {
		v[restoredCPU] = first.CPU.Seconds()
	}
	a.say("  %s: %s after %v", a.engine.name, titles[seconds], first.At.Sub(a.child.started).Round(time.Millisecond))
	if err := then(); err != nil {
		return err
	}
	if n, ok := a.child.fact(contract.Replayed); ok {
		v[replayed] = float64(n)
	}
	return nil
}
