package pebblestore

import (
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// defaultMemory is the budget of an engine that was given none, bytes.
	defaultMemory = 256 << 20
	// openFiles is how many table files all databases together keep open.
	openFiles = 1024
	// Batches of committed rows are between these sizes, bytes.
	minBatch, maxBatch = 16 << 10, 32 << 20
	// memtable is the size of the memtables, bytes. Pebble must have one; nothing is written through it.
	memtable = 64 << 10
)

// An Engine is what the databases of one process share: a block cache, a file cache and a budget of memory. It is safe
// for concurrent use.
//
// Of the budget M, committed rows that wait to be written together have M/16, and as much while they are written. Tables
// together hold 5 M/8, those that most look-ups miss M/10. Pebble's blocks have the rest, which moves: what runs and tables
// hold is reserved inside the block cache.
type Engine struct {
	memory int64
	log    *slog.Logger
	cache  *pebble.Cache
	files  *pebble.FileCache
	open   atomic.Int64  // databases
	fs     vfs.FS        // nil: the disk
	turns  chan struct{} // capacity: how many databases sort and write at once, so that some processors stay for tasks

	mu       sync.Mutex
	held     int64    // bytes of tables and runs
	reserved []func() // each gives back reserveStep bytes
}

// reserveStep is how finely memory is moved between tables and blocks, bytes.
const reserveStep = 1 << 20

// NewEngine returns an engine with a budget of memory in bytes; zero means 256 MiB. What Pebble has to say goes to the
// logger at level debug, its errors at level error; a nil logger discards it.
func NewEngine(memoryBytes int64, logger *slog.Logger) *Engine {
	if memoryBytes <= 0 {
		memoryBytes = defaultMemory
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{memory: memoryBytes, log: logger}
	e.turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	e.cache = pebble.NewCache(memoryBytes)
	e.files = pebble.NewFileCache(runtime.GOMAXPROCS(0), openFiles)
	return e
}

// Close gives back the memory. All databases must be closed.
func (e *Engine) Close() error {
	e.hold(-e.held)
	e.files.Unref()
	e.cache.Unref()
	return nil
}

// table returns the bytes one database's table may hold, least those of a table that is of little use.
func (e *Engine) table() int64 { return e.memory / 8 * 5 / max(1, e.open.Load()) }
func (e *Engine) least() int64 { return e.memory / 10 / max(1, e.open.Load()) }

// runs returns the bytes that a database's runs may hold, the waiting and those being written, with room to grow.
func runs(batch int) int64 {
	if batch < 1<<20 {
		return int64(4 * batch)
	}
	return int64(2*batch + batch/2)
}

// hold notes that tables and runs hold more, or less, and takes that from the blocks.
func (e *Engine) hold(more int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held += more
	steps := int(min(e.held, e.memory*7/8) / reserveStep)
	for len(e.reserved) < steps {
		e.reserved = append(e.reserved, e.cache.Reserve(reserveStep))
	}
	for len(e.reserved) > steps {
		last := len(e.reserved) - 1
		e.reserved[last]()
		e.reserved = e.reserved[:last]
	}
}

// batch returns how many bytes of committed rows a database writes at once.
func (e *Engine) batch(databases int) int {
	return int(min(max(e.memory/16/int64(max(1, databases)), minBatch), maxBatch))
}

// options are the settings of a database.
func (e *Engine) options(d *disk) *pebble.Options {
	log := logger{e.log.With("dir", d.dir)}
	p := &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest,
		DisableWAL:         true, // the changelog is the log
		Cache:              e.cache,
		FileCache:          e.files,
		FS:                 d.fs,
		Lock:               d.lock,
		Logger:             log,
		EventListener:      d.listener(log),
		MemTableSize:       memtable,
		// Pebble stalls writers without end while compactions fail. So it must never stall them; disk.room does, and gives
		// up when one failed.
		L0StopWritesThreshold: 1 << 20,
		// Twice as many files before a compaction: less is written again where random keys are updated.
		L0CompactionThreshold:      8,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
	}
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		return pebble.UniformDBCompressionSettings(sstable.SnappyCompression)
	})
	return p
}
