package main

import (
	"context"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/measure"
)

// throughput lets the engine use up the input.
func (a *attempt) throughput(ctx context.Context) (values, error) {
	if err := a.start(); err != nil {
		return nil, err
	}
	samples, err := a.watch(ctx, throughputEvery, reaches(a.in.records))
	if err != nil {
		return nil, err
	}
	peak, err := measure.PeakMemory(a.child.pid())
	if err != nil {
		return nil, err
	}
	if err := a.child.stop(ctx); err != nil {
		return nil, err
	}
	f, err := measure.FigureOf(samples)
	if err != nil {
		return nil, err
	}
	v := values{
		perCPU:  f.PerCPUSecond() / 1000,
		perWall: f.PerSecond() / 1000,
		wall:    f.Wall.Seconds(),
		rss:     float64(peak) / 1e6,
	}
	if n, ok := a.child.fact(contract.Mallocs); ok {
		v[mallocs] = float64(n) / float64(a.in.records)
	}
	for m, fact := range map[metric]string{commit99: contract.Commit99, store99: contract.Store99} {
		if n, ok := a.child.fact(fact); ok {
			v[m] = float64(n) / 1000
		}
	}
	return v, a.verify(ctx)
}
