package pebblestore

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/millrace-streams/millrace/store"
)

// A history is transactions that follow from their numbers, and the state they make. Transaction n reads and changes
// some rows of the stores a and b; each fifth is written once and aborted before.
type history struct {
	rows map[string]string // store name and key → value
	n    int64             // transactions done
	size []int             // size[i]: bytes of the rows that transaction i+1 left, as step did it
}

var historyStores = []string{"a", "b"}

func newHistory() *history { return &history{rows: map[string]string{}} }

// each calls f with what transaction n+1 does: a store, a key, and the row's value, given the value before.
func (h *history) each(get func(name, key string) (string, bool), f func(name, key, value string, has bool)) {
	rng := rand.New(rand.NewPCG(uint64(h.n+1), 3))
	for range 1 + rng.IntN(40) {
		name := historyStores[rng.IntN(2)]
		key := fmt.Sprint("key ", rng.IntN(500))
		old, ok := get(name, key)
		if ok && rng.IntN(8) == 0 {
			f(name, key, "", false)
			continue
		}
		count := uint64(0)
		if ok {
			count = binary.BigEndian.Uint64([]byte(old))
		}
		value := binary.BigEndian.AppendUint64(nil, count+1)
		f(name, key, string(append(value, make([]byte, rng.IntN(100))...)), true)
	}
}

// step does the next transaction in the model only.
func (h *history) step() {
	wrote := map[string]int{}
	defer func() {
		size := 0
		for key, n := range wrote {
			size += len(key) + n
		}
		h.size = append(h.size, size)
	}()
	h.each(
		func(name, key string) (string, bool) { v, ok := h.rows[name+key]; return v, ok },
		func(name, key, value string, has bool) {
			delete(h.rows, name+key)
			wrote[name+key] = len(value)
			if has {
				h.rows[name+key] = value
			}
		})
	h.n++
}

// write does the next transaction in a database, in which those before were done, and commits it.
func (h *history) write(db store.DB) error {
	if (h.n+1)%5 == 0 {
		if err := h.stage(db); err != nil {
			return err
		}
		db.Abort()
	}
	if err := h.stage(db); err != nil {
		return err
	}
	return db.Commit(
		store.Checkpoint{Changelog: "a-changelog", Offset: h.n + 1},
		store.Checkpoint{Changelog: "b-changelog", Offset: h.n + 1})
}

func (h *history) stage(db store.DB) (err error) {
	h.each(
		func(name, key string) (string, bool) {
			v, ok, e := db.Get(append(db.Prefix(name), key...))
			if e != nil {
				err = e
			}
			return string(v), ok
		},
		func(name, key, value string, has bool) {
			if err != nil {
				return
			}
			if k := append(db.Prefix(name), key...); has {
				err = db.Set(k, []byte(value))
			} else {
				err = db.Delete(k)
			}
		})
	return err
}

// found returns the last transaction a database has, and its rows as history keeps them.
func found(t testing.TB, db store.DB) (n int64, rows map[string]string) {
	t.Helper()
	a, _ := db.Checkpoint("a-changelog")
	b, _ := db.Checkpoint("b-changelog")
	if a.Offset != b.Offset {
		t.Fatalf("a transaction is there by half: checkpoints %d and %d", a.Offset, b.Offset)
	}
	rows = map[string]string{}
	for _, name := range historyStores {
		prefix := db.Prefix(name)
		it := db.Range(prefix, after(prefix), false)
		for it.Next() {
			rows[name+string(it.Key()[len(prefix):])] = string(it.Value())
		}
		check(t, it.Close())
	}
	return a.Offset, rows
}

// verify checks that a database found after a crash is as it was after one of the transactions from low to high, and
// that loading what came later makes it the last one's. states are those after each transaction.
func verify(t testing.TB, db store.DB, states []map[string]string, low, high int64) int64 {
	t.Helper()
	n, rows := found(t, db)
	if n < low || n > high {
		t.Fatalf("the store goes to transaction %d, want %d to %d", n, low, high)
	}
	if !maps.Equal(rows, states[n]) {
		t.Fatalf("the store is not as after transaction %d", n)
	}
	last := int64(len(states) - 1)
	var tail []store.KV
	for _, name := range historyStores {
		tail = tail[:0]
		for k := range rows {
			if _, ok := states[last][k]; !ok && k[:1] == name {
				tail = append(tail, store.KV{Key: append(db.Prefix(name), k[1:]...)})
			}
		}
		for k, v := range states[last] {
			if k[:1] == name && rows[k] != v {
				tail = append(tail, store.KV{Key: append(db.Prefix(name), k[1:]...), Value: []byte(v)})
			}
		}
		check(t, db.Load(tail, store.Checkpoint{Changelog: name + "-changelog", Offset: last}))
	}
	if n, rows := found(t, db); n != last || !maps.Equal(rows, states[last]) {
		t.Fatal("replaying the rest does not give the state")
	}
	return n
}
