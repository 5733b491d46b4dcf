package pebblestore

import (
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := killedDir(); dir != "" {
		runKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// memDisk is a directory in memory whose crashes lose what was not synced, or only some of it.
type memDisk struct {
	t      testing.TB
	engine *Engine
	rng    *rand.Rand
	fs     *vfs.MemFS
}

func newMemDisk(t testing.TB, memory int64, seed uint64) *memDisk {
	d := &memDisk{t: t, engine: NewEngine(memory, nil), rng: rand.New(rand.NewPCG(seed, 5)), fs: vfs.NewCrashableMem()}
	d.engine.fs = d.fs
	t.Cleanup(func() { check(t, d.engine.Close()) })
	return d
}

func (d *memDisk) Open(stores ...string) store.DB {
	db, err := d.engine.Open("state", stores, Options{})
	check(d.t, err)
	return db
}

func (d *memDisk) Lasting() bool { return true }

func (d *memDisk) Crash() {
	d.fs = d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: d.rng.IntN(101), RNG: d.rng})
	d.engine.fs = d.fs
}

func TestPebblestoreKeepsThePromisesOfAStore(t *testing.T) {
	seed := uint64(0)
	storetest.Run(t, func(t testing.TB) storetest.Disk {
		seed++
		return newMemDisk(t, 1<<20, seed) // little memory: many batches, evictions, compactions
	})
}
