package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/millrace-streams/millrace/store"
)

// fault fails operations on table files while it is on.
type fault struct {
	on  atomic.Bool
	err error
	is  func(op errorfs.Op) bool
}

func (f *fault) String() string { return f.err.Error() }

func (f *fault) MaybeError(op errorfs.Op) error {
	if f.on.Load() && (strings.HasSuffix(op.Path, ".sst") || strings.Contains(op.Path, unfinished)) && f.is(op) {
		return &os.PathError{Op: "test", Path: op.Path, Err: f.err}
	}
	return nil
}

func writes(op errorfs.Op) bool { return op.Kind.ReadOrWrite() == errorfs.OpIsWrite }

// faulty opens a database with a history of transactions on a disk that can be made to fail.
func faulty(t *testing.T, f *fault, transactions int) (*Engine, *vfs.MemFS, store.DB, *history) {
	fs := vfs.NewMem()
	engine := NewEngine(1<<20, nil)
	engine.fs = errorfs.Wrap(fs, f)
	t.Cleanup(func() { check(t, engine.Close()) })
	db, err := engine.Open("state", historyStores, Options{})
	check(t, err)
	h := newHistory()
	for range transactions {
		check(t, h.write(db))
		h.step()
	}
	check(t, db.Flush(1))
	return engine, fs, db, h
}

func TestAFullDiskIsAnErrorAndNotAHang(t *testing.T) {
	for _, end := range []string{"flush", "commit", "close"} {
		t.Run(end, func(t *testing.T) {
			f := &fault{err: syscall.ENOSPC, is: writes}
			engine, fs, db, h := faulty(t, f, 50)
			durable := h.n
			f.on.Store(true)
			var err error
			for n := 0; err == nil && (n < 20 || end == "commit"); n++ {
				if err = h.write(db); err == nil {
					h.step()
				}
			}
			switch {
			case end == "flush" && err == nil:
				err = db.Flush(2)
			case end == "close" && err == nil:
				err = db.Close()
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("error is %v", err)
			}
			if _, ok := errors.AsType[*store.CorruptError](err); ok {
				t.Fatalf("a full disk is taken for damage: %v", err)
			}
			if e := db.Commit(); !errors.Is(e, syscall.ENOSPC) && !errors.Is(e, store.ErrClosed) {
				t.Errorf("the next commit returns %v", e)
			}
			_ = db.Close() // ends, and gives the directory back
			f.on.Store(false)
			engine.fs = fs
			db, err = engine.Open("state", historyStores, Options{})
			check(t, err)
			if db.Clean() {
				t.Error("a database that could not be closed in order is clean")
			}
			n, rows := found(t, db)
			past := newHistory()
			for past.n < n {
				past.step()
			}
			if n < durable || !maps.Equal(rows, past.rows) {
				t.Errorf("the store is not as after transaction %d, or less than the flushed %d", n, durable)
			}
			check(t, db.Close())
		})
	}
}

func TestAReadErrorIsReportedAndStays(t *testing.T) {
	f := &fault{err: syscall.EIO, is: func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileReadAt || op.Kind == errorfs.OpOpen }}
	engine, _, db, _ := faulty(t, f, 100)
	check(t, db.Close())
	db, err := engine.Open("state", historyStores, Options{})
	check(t, err)
	f.on.Store(true)
	_, _, err = db.Get(append(db.Prefix("a"), "key 7"...))
	if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "state") {
		t.Fatalf("error is %v", err)
	}
	if _, ok := errors.AsType[*store.CorruptError](err); ok {
		t.Fatalf("taken for damage: %v", err)
	}
	f.on.Store(false)
	if err := db.Set(append(db.Prefix("a"), 'k'), nil); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the next write returns %v", err)
	}
	if err := db.Close(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Close returns %v", err)
	}
}

// TestDamageIsFoundOrHarmless damages each file of a directory in many ways. Whatever is read from it must be what was
// written up to the checkpoint that is found (a list of files that lost its end is as after a crash), or a
// *store.CorruptError or *store.FormatError; nothing may panic.
func TestDamageIsFoundOrHarmless(t *testing.T) {
	source := vfs.NewMem()
	h := fill(t, source)
	files, err := source.List("state")
	check(t, err)
	rng := rand.New(rand.NewPCG(1, 6))
	ways := map[string]func([]byte) []byte{
		"gone":     func([]byte) []byte { return nil },
		"empty":    func([]byte) []byte { return []byte{} },
		"cut":      func(b []byte) []byte { return b[:rng.IntN(len(b)+1)] },
		"flipped":  func(b []byte) []byte { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8); return b },
		"zeroed":   func(b []byte) []byte { clear(b[rng.IntN(len(b)):]); return b },
		"scrambld": func(b []byte) []byte { b[rng.IntN(len(b))] = byte(rng.Uint32()); return b },
		"longer":   func(b []byte) []byte { return append(b, byte(rng.Uint32()), 1, 2, 3) },
	}
	damaged := 0
	for _, name := range files {
		for way, f := range ways {
			for range 4 {
				fs := vfs.NewMem()
				for _, other := range files {
					copyFile(t, source, fs, other, func(b []byte) []byte {
						if other != name || len(b) == 0 {
							return b
						}
						return f(b)
					})
				}
				if readDamaged(t, fs, h, name+" "+way) {
					damaged++
				}
			}
		}
	}
	if damaged < 20 {
		t.Errorf("only %d of the damages were found", damaged)
	}
}

func TestAHalfDeletedDirectoryIsFound(t *testing.T) {
	source := vfs.NewMem()
	h := fill(t, source)
	files, err := source.List("state")
	check(t, err)
	rng := rand.New(rand.NewPCG(1, 6))
	for range 60 {
		fs := vfs.NewMem()
		for _, name := range files {
			if rng.IntN(4) != 0 {
				copyFile(t, source, fs, name, func(b []byte) []byte { return b })
			}
		}
		readDamaged(t, fs, h, "half deleted")
	}
}

// fill makes a directory with several table files.
func fill(t *testing.T, fs *vfs.MemFS) *history {
	engine := NewEngine(1<<20, nil)
	engine.fs = fs
	h := newHistory()
	for range 3 {
		db, err := engine.Open("state", historyStores, Options{})
		check(t, err)
		for range 60 {
			check(t, h.write(db))
			h.step()
		}
		check(t, db.Close())
	}
	check(t, engine.Close())
	return h
}

func copyFile(t *testing.T, from, to *vfs.MemFS, name string, change func([]byte) []byte) {
	check(t, to.MkdirAll("state", 0o755))
	f, err := from.Open("state/" + name)
	check(t, err)
	info, err := f.Stat()
	check(t, err)
	b := make([]byte, info.Size())
	if len(b) > 0 {
		_, err = f.ReadAt(b, 0)
		check(t, err)
	}
	check(t, f.Close())
	if b = change(b); b == nil {
		return
	}
	g, err := to.Create("state/"+name, vfs.WriteCategoryUnspecified)
	check(t, err)
	_, err = g.Write(b)
	check(t, err)
	check(t, g.Sync())
	check(t, g.Close())
}

// readDamaged opens and reads a directory. It reports whether it was found to be damaged.
func readDamaged(t *testing.T, fs *vfs.MemFS, h *history, what string) bool {
	t.Helper()
	engine := NewEngine(1<<20, nil)
	engine.fs = fs
	defer func() { check(t, engine.Close()) }()
	db, err := engine.Open("state", historyStores, Options{})
	if err == nil {
		var rows map[string]string
		rows, err = read(db)
		if cp, _ := db.Checkpoint("a-changelog"); err == nil {
			past := newHistory()
			for past.n < cp.Offset {
				past.step()
			}
			if cp.Offset > h.n || !maps.Equal(rows, past.rows) {
				t.Errorf("%s: the rows are not those of transaction %d, and nobody noticed", what, cp.Offset)
			}
		}
		_ = db.Close()
	}
	if err == nil {
		return false
	}
	_, corrupt := errors.AsType[*store.CorruptError](err)
	_, format := errors.AsType[*store.FormatError](err)
	if !corrupt && !format {
		t.Errorf("%s: error is %v", what, err)
	}
	return true
}

func read(db store.DB) (map[string]string, error) {
	rows := map[string]string{}
	for _, name := range historyStores {
		prefix := db.Prefix(name)
		it := db.Range(prefix, after(prefix), false)
		for it.Next() {
			rows[name+string(it.Key()[len(prefix):])] = string(it.Value())
		}
		if err := it.Close(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func TestAMissingFileIsDamage(t *testing.T) {
	for _, pattern := range []string{"*.sst", "MANIFEST-*"} {
		dir := filepath.Join(t.TempDir(), "state") // on disk: the error is one of the operating system
		engine := NewEngine(1<<20, nil)
		db, err := engine.Open(dir, historyStores, Options{})
		check(t, err)
		check(t, newHistory().write(db))
		check(t, db.Close())
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		check(t, err)
		for _, f := range files {
			check(t, os.Remove(f))
		}
		db, err = engine.Open(dir, historyStores, Options{})
		if err == nil {
			_, err = read(db)
			_ = db.Close()
		}
		if c, ok := errors.AsType[*store.CorruptError](err); !ok || c.Dir != dir {
			t.Errorf("without its %s: %v", pattern, err)
		}
		check(t, engine.Close())
	}
}

// TestAFullDiskEndsAWaitForRoom has the disk fill up while rows wait for a compaction that is under way: a writer that
// waits inside Pebble would wait for ever.
func TestAFullDiskEndsAWaitForRoom(t *testing.T) {
	hold := make(chan struct{})
	f := &fault{err: syscall.ENOSPC, is: func(op errorfs.Op) bool {
		if !writes(op) || !strings.HasSuffix(op.Path, ".sst") || op.Kind == errorfs.OpLink || op.Kind == errorfs.OpRename {
			return false // our own files have other names until they are Pebble's
		}
		<-hold
		return true
	}}
	_, _, db, h := faulty(t, f, 10)
	f.on.Store(true)
	failed := make(chan error)
	go func() {
		var err error
		for err == nil {
			if err = h.write(db); err == nil {
				h.step()
			}
		}
		failed <- err
	}()
	stacks := make([]byte, 1<<20)
	for waits := false; !waits; runtime.Gosched() {
		all := string(stacks[:runtime.Stack(stacks, true)])
		waits = strings.Contains(all, "(*disk).room(") && strings.Contains(all, "[select") || strings.Contains(all, "maybeInduceWriteStall")
	}
	close(hold)
	if err := <-failed; !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error is %v", err)
	}
	_ = db.Close()
}

func TestADirectoryInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	engine := NewEngine(1<<20, nil)
	db, err := engine.Open(dir, nil, Options{})
	check(t, err)
	_, err = engine.Open(dir, nil, Options{})
	if locked, ok := errors.AsType[*store.LockedError](err); !ok || locked.Dir != dir {
		t.Fatalf("error is %v", err)
	}
	check(t, db.Close())
	db, err = engine.Open(dir, nil, Options{})
	check(t, err)
	check(t, db.Close())
	check(t, engine.Close())
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	for what, change := range map[string]func(t *testing.T, dir string){
		"newer": func(t *testing.T, dir string) {
			withPebble(t, dir, func(db *pebble.DB) { check(t, db.Set(metaKey(kindFormat, ""), formatValue(99), pebble.NoSync)) })
		},
		"of another program": func(t *testing.T, dir string) {
			check(t, os.RemoveAll(dir))
			withPebble(t, dir, func(db *pebble.DB) { check(t, db.Set([]byte("row"), nil, pebble.NoSync)) })
		},
		"of a newer Pebble": func(t *testing.T, dir string) {
			marks, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*"))
			check(t, err)
			for _, m := range marks {
				check(t, os.Rename(m, m[:strings.LastIndex(m, ".")]+".999"))
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			engine := NewEngine(1<<20, nil)
			defer func() { check(t, engine.Close()) }()
			db, err := engine.Open(dir, []string{"a"}, Options{})
			check(t, err)
			check(t, db.Close())
			change(t, dir)
			_, err = engine.Open(dir, []string{"a"}, Options{})
			if f, ok := errors.AsType[*store.FormatError](err); !ok || f.Dir != dir {
				t.Fatalf("error is %v", err)
			}
		})
	}
}

func withPebble(t *testing.T, dir string, f func(db *pebble.DB)) {
	db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: logger{slog.New(slog.DiscardHandler)}})
	check(t, err)
	f(db)
	check(t, db.Flush())
	check(t, db.Close())
}

func TestAPathThatIsNoDirectoryIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(path, nil, 0o600))
	engine := NewEngine(1<<20, nil)
	defer func() { check(t, engine.Close()) }()
	_, err := engine.Open(path, nil, Options{})
	if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), path) {
		t.Fatalf("error is %v", err)
	}
}

func TestWhatPebbleCannotGoOnFromEndsTheProcess(t *testing.T) {
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "MANIFEST sync failed: no space") {
			t.Fatalf("panicked with %s", p)
		}
	}()
	logger{slog.New(slog.DiscardHandler)}.Fatalf("MANIFEST sync failed: %v", errors.New("no space"))
}
