// Command engine is Millrace behind the contract of the benchmarks, written with the public API only: what a user of the
// library would write is what is measured.
package main

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/topology"
)

func main() { contract.Main("engine", names(), nil, run) }

// run works until ctx ends.
func run(ctx context.Context, o contract.Options) error {
	b := topology.NewBuilder()
	workloads[o.Workload](b, o)
	top, err := b.Build()
	if err != nil {
		return err
	}
	cfg := config(o)
	var commits commitTimes
	cfg.Events.Committed = commits.add
	app, err := millrace.New(top, cfg)
	if err != nil {
		return err
	}
	defer commits.report()
	return app.Run(ctx)
}

// commitTimes are how long the commits took, of all workers.
type commitTimes struct {
	mu             sync.Mutex
	whole, storing []time.Duration
}

func (c *commitTimes) add(i millrace.CommitInfo) {
	if i.Records > 0 {
		c.mu.Lock()
		c.whole, c.storing = append(c.whole, i.Took), append(c.storing, i.Stores)
		c.mu.Unlock()
	}
}

func (c *commitTimes) report() {
	for fact, took := range map[string][]time.Duration{contract.Commit99: c.whole, contract.Store99: c.storing} {
		if n := len(took); n > 0 {
			slices.Sort(took)
			contract.Report(fact, took[n*99/100].Microseconds())
		}
	}
}

// config is the library's default in everything the contract does not say.
func config(o contract.Options) millrace.Config {
	return millrace.Config{
		ApplicationID:  o.App,
		Brokers:        o.Brokers,
		Guarantee:      guarantees[o.Guarantee],
		CommitInterval: o.Commit, // 0 is the default there too
		Workers:        o.Workers,
		StateDir:       o.StateDir,
		// A stopped engine may come back without its directory. Its place in the group would then be nobody's until the
		// session timeout.
		OnStop: millrace.StopLeave,
		Client: []kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Events: &millrace.Events{Restoring: func(i millrace.RestoreInfo) {
			if i.Done {
				contract.Report(contract.Replayed, i.Records)
			}
		}},
	}
}

var guarantees = map[contract.Guarantee]millrace.Guarantee{
	contract.ExactlyOnce: millrace.ExactlyOnce,
	contract.AtLeastOnce: millrace.AtLeastOnce,
	contract.AtMostOnce:  millrace.AtMostOnce,
}
