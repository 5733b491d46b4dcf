package pebblestore

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// TestTheFormatIsAsNumbered compares every key and value of a small database with a file. If it must change, so must the
// number.
func TestTheFormatIsAsNumbered(t *testing.T) {
	engine := NewEngine(1<<20, nil)
	fs := vfs.NewMem()
	engine.fs = fs
	db, err := engine.Open("state", []string{"counts", "seen"}, Options{})
	check(t, err)
	check(t, db.Set(append(db.Prefix("counts"), "word"...), []byte("value")))
	check(t, db.Set(append(db.Prefix("seen"), "id"...), nil))
	check(t, db.Commit(store.Checkpoint{Changelog: "app-counts-changelog", TopicID: [16]byte{1, 2, 15: 16}, Offset: 1 << 40, Stamp: 1_700_000_000_000}))
	check(t, db.Close())
	check(t, engine.Close())
	p, err := pebble.Open("state", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: logger{slog.New(slog.DiscardHandler)}})
	check(t, err)
	it, err := p.NewIter(nil)
	check(t, err)
	var got strings.Builder
	for ok := it.First(); ok; ok = it.Next() {
		fmt.Fprintf(&got, "%x %q = %x\n", it.Key(), it.Key(), it.Value())
	}
	check(t, it.Close())
	check(t, p.Close())
	const file = "testdata/format-1.txt"
	want, err := os.ReadFile(file)
	check(t, err)
	if got.String() != string(want) {
		t.Fatalf("the database holds\n%s%s holds\n%s", got.String(), file, want)
	}
}

func TestPrefixesAreNeverUsedForAnotherStore(t *testing.T) {
	c := &catalog{prefixes: map[string][overlay.PrefixLen]byte{"old": {0xff, 0xf0}}}
	seen := map[[overlay.PrefixLen]byte]bool{{0, 0}: true, {0xff, 0xf0}: true}
	for n := range 15 {
		name := fmt.Sprint("new ", n)
		p, added, err := c.allot(name)
		if err != nil || !added || seen[p] {
			t.Fatalf("store %s has prefix %x, added %v: %v", name, p, added, err)
		}
		if again, added, _ := c.allot(name); added || again != p {
			t.Fatalf("store %s has prefix %x, and then %x", name, p, again)
		}
		seen[p] = true
	}
	if p, _, err := c.allot("one too many"); err == nil {
		t.Fatalf("prefix %x after the last", p)
	}
}

func TestADamagedCatalogIsFound(t *testing.T) {
	for _, kv := range []string{"\x00\x00", "\x00\x00?", "\x00\x00f=123", "\x00\x00sname=1", "\x00\x00ochangelog=123", "\x00\x00x=1"} {
		key, value, _ := strings.Cut(kv, "=")
		if (&catalog{}).add([]byte(key), []byte(value)) == nil {
			t.Errorf("%q is taken", kv)
		}
	}
}

func TestRowsAreSortedAndTheLastOfAKeyCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s sorter
	defer s.free()
	for round := range 200 {
		var rows overlay.Rows
		last := map[string]string{}
		count := rng.IntN(300)
		if round%20 == 0 {
			count = 20_000
		}
		for i := range count {
			key := fmt.Sprint(string(rune('a'+rng.IntN(3))), "=prefix of eight bytes and more "[:1+rng.IntN(30)], rng.IntN(50+count))
			value := fmt.Sprint(i)
			rows = append(rows, byte(len(key)), byte(len(value)+1))
			rows = append(append(rows, key...), value...)
			last[key] = value
		}
		var before []byte
		refs := s.sort(rows, count)
		for _, r := range refs {
			key, value, _, _ := rows[r.off:].Next()
			if before != nil && bytes.Compare(before, key) >= 0 || last[string(key)] != string(value) {
				t.Fatalf("%q = %q after %q, want %q", key, value, before, last[string(key)])
			}
			before = key
		}
		if len(refs) != len(last) {
			t.Fatalf("%d rows of %d keys", len(refs), len(last))
		}
	}
}

func TestTheMemoryIsSharedByTheOpenDatabases(t *testing.T) {
	engine := NewEngine(64<<20, nil)
	if engine.table() != 40<<20 {
		t.Fatalf("one table may hold %d", engine.table())
	}
	var dbs []store.DB
	for range 4 {
		db, err := engine.Open(t.TempDir(), nil, Options{Databases: 4})
		check(t, err)
		dbs = append(dbs, db)
	}
	if engine.table() != 10<<20 || engine.batch(4) != 1<<20 {
		t.Fatalf("a table of four may hold %d, and write %d at once", engine.table(), engine.batch(4))
	}
	for _, db := range dbs {
		check(t, db.Close())
	}
	if engine.table() != 40<<20 {
		t.Fatal("memory of closed databases is not given back")
	}
	check(t, engine.Close())
}

func FuzzCatalog(f *testing.F) {
	f.Add(metaKey(kindFormat, ""), formatValue(Format))
	f.Add(metaKey(kindStore, "counts"), []byte{0, 1})
	f.Add(metaKey(kindCheckpoint, "log"), checkpointValue(store.Checkpoint{Offset: 1}))
	f.Add(metaKey(kindClean, ""), []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		c := &catalog{prefixes: map[string][overlay.PrefixLen]byte{}}
		if c.add(key, value) != nil {
			return
		}
		// What is taken is written again as it was.
		again := map[string][]byte{}
		if key[2] == kindFormat {
			again[string(key)] = formatValue(c.format)
		}
		for name, p := range c.prefixes {
			again[string(metaKey(kindStore, name))] = p[:]
		}
		for _, cp := range c.checkpoints {
			again[string(metaKey(kindCheckpoint, cp.Changelog))] = checkpointValue(cp)
		}
		if c.clean {
			again[string(key)] = nil
		}
		if len(again) != 1 || !bytes.Equal(again[string(key)], value) {
			t.Fatalf("%x = %x is taken for %x", key, value, again)
		}
	})
}
