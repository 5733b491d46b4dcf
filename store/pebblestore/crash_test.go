package pebblestore

import (
	"flag"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

var crashes = flag.Int("crashes", crashPoints, "points of time at which TestACrashLeavesAPrefixOfTheTransactions crashes")

// A crasher copies a file system at random operations, also those of Pebble's own goroutines in the middle of a flush or
// compaction, as a crash would leave it.
type crasher struct {
	fs        *vfs.MemFS
	mu        sync.Mutex
	rng       *rand.Rand
	found     []crashed
	committed int64 // transactions whose commit was begun
	flushed   int64 // transactions that were durable
}

type crashed struct {
	fs                 *vfs.MemFS
	committed, flushed int64
}

func (c *crasher) String() string { return "crasher" }

// MaybeError implements errorfs.Injector. It is called before each operation.
func (c *crasher) MaybeError(op errorfs.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op.Kind.ReadOrWrite() == errorfs.OpIsRead || c.rng.IntN(6) != 0 {
		return nil
	}
	// Taken before the state is copied, so that what is flushed meanwhile is not asked for.
	x := crashed{committed: c.committed, flushed: c.flushed}
	x.fs = c.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.rng.IntN(101), RNG: c.rng})
	c.found = append(c.found, x)
	return nil
}

func (c *crasher) set(committed, flushed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.committed, c.flushed = max(c.committed, committed), max(c.flushed, flushed)
}

func (c *crasher) take() []crashed {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.found
	c.found = nil
	return found
}

func TestACrashLeavesAPrefixOfTheTransactions(t *testing.T) {
	points := *crashes
	if testing.Short() {
		points = min(points, 200)
	}
	behind := 0
	for seed := uint64(0); points > 0; seed++ {
		c := &crasher{fs: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 7))}
		engine := NewEngine(1<<20, nil)
		engine.fs = errorfs.Wrap(c.fs, c)
		db, err := engine.Open("state", historyStores, Options{})
		check(t, err)
		h := newHistory()
		states := []map[string]string{maps.Clone(h.rows)}
		var found []crashed
		rng := rand.New(rand.NewPCG(seed, 8))
		for range 200 {
			c.set(h.n+1, 0)
			check(t, h.write(db))
			h.step()
			states = append(states, maps.Clone(h.rows))
			if rng.IntN(15) == 0 {
				check(t, db.Flush(h.n))
				c.set(0, h.n)
			}
			if rng.IntN(100) == 0 { // the opening and the clean mark are crash points too
				check(t, db.Close())
				c.set(0, h.n)
				db, err = engine.Open("state", historyStores, Options{})
				check(t, err)
			}
		}
		check(t, db.Close())
		check(t, engine.Close())
		found = c.take()
		c.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		for _, x := range found[:min(len(found), points, 500)] {
			points--
			after := NewEngine(1<<20, nil)
			after.fs = x.fs
			db, err := after.Open("state", historyStores, Options{})
			check(t, err)
			if n := verify(t, db, states, x.flushed, x.committed); n < x.committed {
				behind++
			}
			check(t, db.Close())
			check(t, after.Close())
		}
	}
	if behind == 0 {
		t.Error("no crash lost anything: the points of time do not test what they should")
	}
	t.Logf("%d of %d crashes left a store behind its changelog", behind, *crashes)
}

// markerCrasher crashes where the directory has unsynced names in it: when it is about to be synced.
type markerCrasher struct{ crasher }

func (c *markerCrasher) MaybeError(op errorfs.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op.Kind == errorfs.OpFileSync && op.Path == "state" {
		for range 8 {
			c.found = append(c.found, crashed{fs: c.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: c.rng})})
		}
	}
	return nil
}

func TestACrashLeavesNoMarkerWithoutItsManifest(t *testing.T) {
	c := &markerCrasher{crasher{fs: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(1, 7))}}
	engine := NewEngine(1<<20, nil)
	engine.fs = errorfs.Wrap(c.fs, c)
	for range 4 { // each opening begins a manifest
		db, err := engine.Open("state", historyStores, Options{})
		check(t, err)
		check(t, db.Close())
	}
	check(t, engine.Close())
	for _, x := range c.take() {
		after := NewEngine(1<<20, nil)
		after.fs = x.fs
		db, err := after.Open("state", historyStores, Options{})
		check(t, err)
		check(t, db.Close())
		check(t, after.Close())
	}
}
