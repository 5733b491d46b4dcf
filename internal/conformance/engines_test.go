package conformance

import (
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

// identical checks that the cases that are identical stay so with other options.
func identical(t *testing.T, options func(t *testing.T, c *Case) Options) {
	t.Helper()
	listed := readPending(t)
	for _, c := range corpus(t) {
		if slices.Contains(listed, c.Name) || intended(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if diff := Check(c, options(t, c)); diff != nil {
				t.Error(diff)
			}
		})
	}
}

// What a topology does must not depend on the engine that keeps its rows.
func TestCasesAreIdenticalOnPebble(t *testing.T) {
	engine := pebblestore.NewEngine(64<<20, slog.New(slog.DiscardHandler))
	defer func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir, n := t.TempDir(), 0
	identical(t, func(*testing.T, *Case) Options {
		return Options{Driver: []kstest.Option{kstest.Databases(func(stores ...string) (store.DB, error) {
			n++
			return engine.Open(filepath.Join(dir, strconv.Itoa(n)), stores, pebblestore.Options{})
		})}}
	})
}

// Commits at other places than behind each record change nothing: not what is forwarded, nor what is kept.
func TestMoreCommitsChangeNothing(t *testing.T) {
	identical(t, func(*testing.T, *Case) Options {
		r := rand.New(rand.NewPCG(1, 2))
		return Options{Driver: []kstest.Option{kstest.CommitBetween(func() bool { return r.IntN(2) == 0 })}}
	})
}
