package metamorphic

import (
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/millrace-streams/millrace/store/pebblestore"
)

var (
	cases       = flag.Int("metamorphic.cases", 500, "cases of TestEveryRunCommitsTheSame")
	variants    = flag.Int("metamorphic.variants", 3, "variants of each, beside the plain run")
	on          = flag.Int("metamorphic.disk", 50, "one case in so many has a variant on disk")
	deployments = flag.Int("metamorphic.deployments", 48, "cases of TestEveryDeploymentCommitsTheSame")
	first       = flag.Uint64("metamorphic.first", 1, "the first seed")
)

// TestEveryRunCommitsTheSame: random topologies commit what the oracle says, wherever they are committed, whatever keeps their
// rows, and however often they are restarted.
func TestEveryRunCommitsTheSame(t *testing.T) {
	const shards = 8
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			engine := pebblestore.NewEngine(8<<20, slog.New(slog.DiscardHandler))
			defer func() {
				if err := engine.Close(); err != nil {
					t.Error(err)
				}
			}()
			r := &Runner{Engine: engine, Dir: t.TempDir()}
			failed := 0
			for n := shard; n < uint64(*cases) && failed < 3; n += shards {
				seed := *first + n
				if f := r.Check(seed, *variants, *on > 0 && seed%uint64(*on) == 0); f != nil {
					failed++
					t.Errorf("%v\ngo test ./internal/metamorphic -run TestEveryRunCommitsTheSame -metamorphic.first=%d -metamorphic.cases=1 -metamorphic.variants=%d -metamorphic.disk=%d", f, seed, *variants, *on)
				}
			}
		})
	}
}

// TestEveryDeploymentCommitsTheSame: what random topologies commit does not depend on how the app is deployed: on brokers, by
// workers and processes that are killed, moved, and started again with or without their disks.
func TestEveryDeploymentCommitsTheSame(t *testing.T) {
	const together = 12 // they wait for each other's processes most of the time
	dir := t.TempDir()
	seeds := make(chan uint64)
	var runs sync.WaitGroup
	for range together {
		runs.Go(func() {
			for seed := range seeds {
				if f := CheckDeployed(t.Context(), seed, filepath.Join(dir, fmt.Sprint(seed))); f != nil {
					t.Errorf("%v\ngo test ./internal/metamorphic -run TestEveryDeploymentCommitsTheSame -metamorphic.first=%d -metamorphic.deployments=1", f, seed)
				}
			}
		})
	}
	for n := uint64(0); n < uint64(*deployments) && !t.Failed(); n++ {
		seeds <- *first + n
	}
	close(seeds)
	runs.Wait()
}
