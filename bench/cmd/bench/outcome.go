package main

import (
	"fmt"
	"strings"
)

// A metric is a column of the table.
type metric string

const (
	perCPU           metric = "k records/CPU-s"
	ratio            metric = "x ceiling"
	perWall          metric = "k records/s"
	wall             metric = "wall s"
	rss              metric = "RSS MB"
	mallocs          metric = "allocs/record"
	commit99         metric = "commit p99 ms"
	store99          metric = "stores' p99 ms"
	killed           metric = "kill -9: s"
	killedReplayed   metric = "replayed"
	stopped          metric = "clean stop: s"
	stoppedReplayed  metric = "replayed "
	disk             metric = "disk MB"
	restored         metric = "cold: s"
	restoredCPU      metric = "CPU-s"
	restoredReplayed metric = "replayed  "
	logged           metric = "changelog M"
)

// titles say what is timed, in progress lines.
var titles = map[metric]string{
	killed: "first commit after kill -9", stopped: "first commit after a clean stop", restored: "first commit after losing the state",
}

// decimals of the metrics that are not whole numbers.
var decimals = map[metric]int{
	ratio: 2, wall: 1, mallocs: 2, commit99: 1, store99: 1, killed: 2, stopped: 2, disk: 1, restored: 2, restoredCPU: 2, logged: 2,
}

// columns of the table of each mode, in order.
var columns = map[mode][]metric{
	throughput: {perCPU, ratio, perWall, wall, rss, mallocs, commit99, store99},
	restart:    {killed, killedReplayed, stopped, stoppedReplayed, disk},
	restore:    {restored, restoredCPU, restoredReplayed, logged},
}

// values are what one run measured.
type values map[metric]float64

// An outcome is one run of one engine: values, or an error.
type outcome struct {
	workload, engine string
	round            int
	values           values
	err              error
}

// String is the line of a run while the harness works.
func (o outcome) String() string {
	head := fmt.Sprintf("%s, %s, round %d: ", o.workload, o.engine, o.round+1)
	if o.engine == "" {
		head = o.workload + ": "
	}
	if o.err != nil {
		return head + "FAILED: " + o.err.Error()
	}
	var parts []string
	for _, m := range []mode{throughput, restart, restore} {
		for _, c := range columns[m] {
			if v, ok := o.values[c]; ok {
				parts = append(parts, fmt.Sprintf("%s %.*f", strings.TrimSpace(string(c)), decimals[c], v))
			}
		}
	}
	return head + strings.Join(parts, ", ")
}
