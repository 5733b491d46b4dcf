package pebblestore

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/arena"
)

// TestTheBudgetHoldsForOneAndForManyDatabases writes far more than fits, and looks at what tables, runs and blocks hold.
func TestTheBudgetHoldsForOneAndForManyDatabases(t *testing.T) {
	for _, c := range []struct {
		databases, rows int
		memory          int64
	}{{1, 28_000, 64 << 20}, {1, 8_000, 16 << 20}, {8, 28_000, 64 << 20}, {8, 8_000, 16 << 20}, {300, 48_000, 128 << 20}} {
		databases, rows, memory := c.databases, c.rows, c.memory
		t.Run(fmt.Sprint(databases, memory>>20), func(t *testing.T) {
			before := arena.Held()
			engine := NewEngine(memory, nil)
			defer func() { check(t, engine.Close()) }()
			dir := t.TempDir()
			var dbs []store.DB
			for i := range databases {
				db, err := engine.Open(filepath.Join(dir, fmt.Sprint(i)), []string{"rows"}, Options{Databases: databases})
				check(t, err)
				defer func() { check(t, db.Close()) }()
				dbs = append(dbs, db)
			}
			most, value := int64(0), make([]byte, 2500)
			for n := range rows {
				db := dbs[n%databases]
				key := binary.BigEndian.AppendUint64(append([]byte(nil), db.Prefix("rows")...), mix(uint64(n)))
				check(t, db.Set(key, value))
				if n%(databases*40) >= databases*40-databases {
					check(t, db.Commit(store.Checkpoint{Changelog: "c", Offset: int64(n)}))
					most = max(most, arena.Held()-before)
				}
			}
			t.Logf("%d databases hold at most %d MiB of %d", databases, most>>20, memory>>20)
			engine.mu.Lock()
			blocks := memory - int64(len(engine.reserved))*reserveStep
			engine.mu.Unlock()
			// Room grows in powers of two, and each of many databases has a little at least: hence the quarter more.
			if most+blocks > memory*5/4 {
				t.Errorf("tables and runs hold %d bytes and blocks may hold %d, of a budget of %d", most, blocks, memory)
			}
		})
	}
}
