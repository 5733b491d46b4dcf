package metamorphic

import (
	"flag"
	"fmt"
	"log/slog"
	"testing"

	"github.com/millrace-streams/millrace/store/pebblestore"
)

var (
	cases    = flag.Int("metamorphic.cases", 600, "cases of TestEveryRunCommitsTheSame")
	variants = flag.Int("metamorphic.variants", 3, "variants of each, beside the plain run")
	on       = flag.Int("metamorphic.disk", 50, "one case in so many has a variant on disk")
	first    = flag.Uint64("metamorphic.first", 1, "the first seed")
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
