package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/millrace-streams/millrace/store"
)

// BenchmarkUpdate reads, changes and writes back random rows of 8-byte keys and 16-byte values, in transactions of
// 10,000: with the keys of each looked up in advance, as tasks do, one by one, and with Pebble alone. cpu-ns/op is the
// time of all threads, flushes and compactions included:
//
//	taskset -c 0 env GOMAXPROCS=1 go test -run - -bench Update -benchtime 2000000x ./store/pebblestore
func BenchmarkUpdate(b *testing.B) {
	for _, c := range []struct {
		keys   int
		memory int64
	}{{1_000, 128 << 20}, {100_000, 128 << 20}, {1_000_000, 128 << 20}, {1_000_000, 256 << 20}, {10_000_000, 256 << 20}} {
		name := fmt.Sprintf("keys=%d/memory=%dMiB", c.keys, c.memory>>20)
		b.Run(name+"/store", func(b *testing.B) { updateStore(b, c.keys, c.memory, true) })
		b.Run(name+"/one-by-one", func(b *testing.B) { updateStore(b, c.keys, c.memory, false) })
		b.Run(name+"/by-hand", func(b *testing.B) { updateByHand(b, c.keys, c.memory) })
	}
}

// BenchmarkLoad restores random rows of 1,000,000 keys, five per key, in chunks of 5,000.
func BenchmarkLoad(b *testing.B) {
	engine := NewEngine(256<<20, nil)
	defer engine.Close()
	db, err := engine.Open(b.TempDir(), []string{"rows"}, Options{})
	check(b, err)
	defer db.Close()
	prefix := db.Prefix("rows")
	rng := rand.New(rand.NewPCG(1, 2))
	value := make([]byte, 16)
	rows := make([]store.KV, 5000)
	measure(b, func() {
		for n := 0; n < b.N; n += len(rows) {
			for i := range rows {
				rows[i] = store.KV{Key: benchKey(prefix, rng.IntN(1_000_000)), Value: value}
			}
			check(b, db.Load(rows, store.Checkpoint{Changelog: "c", Offset: int64(n)}))
		}
		check(b, db.Flush(0))
	})
}

func updateStore(b *testing.B, keys int, memory int64, warm bool) {
	engine := NewEngine(memory, nil)
	defer engine.Close()
	db, err := engine.Open(b.TempDir(), []string{"rows"}, Options{})
	check(b, err)
	defer db.Close()
	prefix := db.Prefix("rows")
	var chunk []store.KV
	for i := range keys {
		if chunk = append(chunk, store.KV{Key: benchKey(prefix, i), Value: make([]byte, 16)}); len(chunk) == 5000 || i == keys-1 {
			check(b, db.Load(chunk, store.Checkpoint{Changelog: "c"}))
			chunk = chunk[:0]
		}
	}
	check(b, db.Flush(0))
	rng := rand.New(rand.NewPCG(1, 2))
	key, value := append([]byte(nil), prefix...), make([]byte, 16)
	key = append(key, make([]byte, 8)...)
	var log []byte
	var commits []time.Duration
	var ahead [8192][]byte
	buf := make([]byte, 0, len(ahead)*len(key))
	run := func(ops int) {
		for n := range ops {
			if n%len(ahead) == 0 {
				buf = buf[:0]
				for i := range ahead {
					from := len(buf)
					buf = binary.BigEndian.AppendUint64(append(buf, prefix...), mix(uint64(rng.IntN(keys))))
					ahead[i] = buf[from:]
				}
				if warm {
					check(b, db.Warm(ahead[:]))
				}
			}
			copy(key, ahead[n%len(ahead)])
			old, _, err := db.Get(key)
			check(b, err)
			copy(value, old)
			binary.BigEndian.PutUint64(value, binary.BigEndian.Uint64(value)+1)
			check(b, db.Set(key, value))
			if n%10_000 == 9_999 || n == ops-1 {
				began := time.Now()
				log = log[:0]
				db.Dirty(prefix, func(d store.Dirty) bool {
					log = append(append(log, d.Key...), d.Value...)
					return true
				})
				check(b, db.Commit(store.Checkpoint{Changelog: "c", Offset: int64(n)}))
				commits = append(commits, time.Since(began))
			}
		}
	}
	run(min(max(keys, 200_000), 2_000_000))
	measure(b, func() { run(b.N); check(b, db.Flush(0)) })
	slices.Sort(commits)
	b.ReportMetric(float64(commits[len(commits)*99/100].Microseconds())/1000, "p99-commit-ms")
}

// updateByHand is the loop somebody would write: a map of what the transaction wrote, a look-up in Pebble for what is
// not in it, one batch per commit.
func updateByHand(b *testing.B, keys int, memory int64) {
	cache := pebble.NewCache(memory)
	defer cache.Unref()
	db, err := pebble.Open(b.TempDir(), &pebble.Options{FormatMajorVersion: pebble.FormatNewest, DisableWAL: true, Cache: cache, MemTableSize: 32 << 20, Logger: logger{slog.New(slog.DiscardHandler)}})
	check(b, err)
	defer db.Close()
	batch := db.NewBatch()
	for i := range keys {
		var k [8]byte
		binary.BigEndian.PutUint64(k[:], mix(uint64(i)))
		check(b, batch.Set(k[:], make([]byte, 16), nil))
		if i%50_000 == 49_999 || i == keys-1 {
			check(b, batch.Commit(pebble.NoSync))
			batch = db.NewBatch()
		}
	}
	check(b, db.Flush())
	rng := rand.New(rand.NewPCG(1, 2))
	dirty := map[[8]byte][16]byte{}
	var log []byte
	run := func(ops int) {
		for n := range ops {
			var k [8]byte
			binary.BigEndian.PutUint64(k[:], mix(uint64(rng.IntN(keys))))
			v, ok := dirty[k]
			if !ok {
				old, c, err := db.Get(k[:])
				if err == nil {
					copy(v[:], old)
					check(b, c.Close())
				} else if !errors.Is(err, pebble.ErrNotFound) {
					b.Fatal(err)
				}
			}
			binary.BigEndian.PutUint64(v[:], binary.BigEndian.Uint64(v[:])+1)
			dirty[k] = v
			if n%10_000 == 9_999 || n == ops-1 {
				batch := db.NewBatchWithSize(len(dirty) * 32)
				log = log[:0]
				for k, v := range dirty {
					log = append(append(log, k[:]...), v[:]...)
					check(b, batch.Set(k[:], v[:], nil))
				}
				check(b, batch.Commit(pebble.NoSync))
				clear(dirty)
			}
		}
	}
	run(min(max(keys, 200_000), 2_000_000))
	measure(b, func() { run(b.N); check(b, db.Flush()) })
}

func benchKey(prefix []byte, i int) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(nil), prefix...), mix(uint64(i)))
}

// mix spreads numbers over all keys, one to one.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func measure(b *testing.B, f func()) {
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	f()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

func check(t testing.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
