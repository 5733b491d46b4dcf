package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/table"
)

// maxRow is the most a key and its value may be long together, bytes.
const maxRow = 1 << 30

// Options says how an overlay is kept.
type Options struct {
	// Limit returns the bytes the table may hold after a commit; the rows that the base lacks are held in any case. It
	// is asked at each commit.
	Limit func() int64
	// Least returns the bytes of a table that most look-ups miss, which shrinks. Nil has no table shrink.
	Least func() int64
	// Holds is told how much memory the table holds, when that has changed. Nil is told nothing.
	Holds func(bytes int64)
	// Batch is how many bytes of committed rows are held before they are applied together. Zero applies each commit.
	Batch int
	// LoadBatch is the same for loaded rows. Zero means Batch.
	LoadBatch int
	// New says that the base has no rows.
	New bool
	// Inline has Apply called by the committing goroutine.
	Inline bool
}

// A Store names a store and the prefix of its keys.
type Store struct {
	Name   string
	Prefix [PrefixLen]byte
}

// DB is a store.DB over a Base.
type DB struct {
	base   Base
	opts   Options
	clean  bool
	stores []Store        // in order of their prefixes, which is the order of the table's parts
	names  map[string]int // places in stores
	t      *table.Table   // everything the base lacks, and a cache of what it has
	gone   []Span         // expired in the open transaction; the table has a note for each
	cps    checkpoints    // of all committed rows
	held   batch          // committed, waiting for more
	loads  int            // bytes of rows loaded and not yet held
	air    flight         // on its way to the base
	err    error          // of the base: the database is of no further use
	closed atomic.Bool    // read by goroutines that outlive their task
	moves  uint64         // counts what makes iterators of the base miss rows
	iters  map[*iter]struct{}
	walks  []*iter // closed, to be used again
	told   int64   // what Holds was told last
	taste  appetite
	stuck  int64  // the table is not swept again below this size, unless
	swept  uint64 // moves is not what it was at the last sweep
	miss   []byte // scratch for reads of the base
	group  group  // scratch of Warm
}

var _ store.DB = (*DB)(nil)

// Open makes a database of a base. checkpoints are those the base holds, clean says that it was new or closed in order.
func Open(base Base, stores []Store, checkpoints []store.Checkpoint, clean bool, opts Options) *DB {
	stores = slices.Clone(stores)
	slices.SortFunc(stores, func(a, b Store) int { return bytes.Compare(a.Prefix[:], b.Prefix[:]) })
	db := &DB{base: base, opts: opts, clean: clean, stores: stores, names: map[string]int{}, iters: map[*iter]struct{}{}}
	db.air.done = make(chan error, 1)
	var prefixes [][table.PrefixLen]byte
	for i, s := range stores {
		db.names[s.Name] = i
		prefixes = append(prefixes, s.Prefix)
	}
	db.t = table.New(prefixes...)
	db.cps.put(checkpoints...)
	return db
}

// Prefix implements store.DB.
func (db *DB) Prefix(name string) []byte {
	i, ok := db.names[name]
	if !ok {
		panic(fmt.Sprintf("overlay: store %q was not named when the database was opened", name))
	}
	return db.stores[i].Prefix[:]
}

// part returns the store a key belongs to.
func (db *DB) part(key []byte) int {
	p := db.t.Part(key)
	if p < 0 {
		panic(fmt.Sprintf("overlay: key %x begins with no store's prefix", key))
	}
	return p
}

// usable returns the error that all methods return from now on, if there is one.
func (db *DB) usable() error {
	if db.closed.Load() {
		return store.ErrClosed
	}
	return db.err
}

// fail keeps an error of the base.
func (db *DB) fail(err error) error {
	if db.err == nil {
		db.err = err
	}
	return db.err
}

// Get implements store.DB.
func (db *DB) Get(key []byte) (value []byte, ok bool, err error) {
	if err := db.usable(); err != nil {
		return nil, false, err
	}
	r := db.t.Find(key)
	if r == 0 {
		return db.read(key)
	}
	db.taste.hits++
	if value, ok = db.t.Use(r); !ok {
		return nil, false, nil
	}
	return value, true, nil
}

// read asks the base and keeps the answer, unless the table is well over its limit: it shrinks at commits only.
func (db *DB) read(key []byte) (value []byte, ok bool, err error) {
	if db.whole() {
		return nil, false, nil
	}
	if !db.mayGrow() {
		value, ok, err = db.base.Get(nil, key) // the caller may hold values of several reads
		if err != nil {
			return nil, false, db.fail(err)
		}
		db.taste.missed(ok)
		return value, ok, nil
	}
	r, err := db.fetch(key, 0)
	if err != nil {
		return nil, false, err
	}
	value, ok = db.t.Value(r)
	return value, ok, nil
}

// whole reports whether the table has an entry of every row, so that the base need not be asked.
func (db *DB) whole() bool { return db.opts.New && !db.t.Lost() }

// mayGrow reports whether the table may take up more of what the base has.
func (db *DB) mayGrow() bool {
	limit := db.taste.limit(&db.opts)
	return db.t.Bytes() <= max(limit+limit/4, waiting(&db.opts))+64<<10
}

// shrink brings the table down to what it may hold.
func (db *DB) shrink() {
	db.taste.judge(db.t.Bytes(), &db.opts)
	limit := db.taste.limit(&db.opts)
	// A sweep that found nothing to evict would find nothing again, until disk has caught up.
	if bytes := db.t.Bytes(); bytes > limit && (bytes > db.stuck || db.moves != db.swept) {
		db.t.Evict(limit)
		db.stuck, db.swept = db.t.Bytes()+limit/16, db.moves
	}
	db.tell()
}

func (db *DB) tell() {
	if n := db.t.Bytes(); n != db.told && db.opts.Holds != nil {
		db.opts.Holds(n)
		db.told = n
	}
}

// fetch makes an entry of what the base has for a key, with room for a value of n bytes.
func (db *DB) fetch(key []byte, n int) (table.Ref, error) {
	if db.whole() {
		return db.t.FillFor(key, nil, false, n), nil
	}
	value, ok, err := db.base.Get(db.miss[:0], key)
	if err != nil {
		return 0, db.fail(err)
	}
	db.miss = value[:0]
	if err := fits(key, value); err != nil {
		return 0, err
	}
	db.taste.missed(ok)
	return db.t.FillFor(key, value, ok, n), nil
}

// fits refuses rows that the table cannot hold.
func fits(key, value []byte) error {
	if len(key) > table.MaxKey || len(key)+len(value) > maxRow {
		return fmt.Errorf("overlay: a row of %d bytes of key and %d of value is longer than the %d and %d a store takes", len(key), len(value), table.MaxKey, maxRow)
	}
	return nil
}

// Checkpoint implements store.DB.
func (db *DB) Checkpoint(changelog string) (store.Checkpoint, bool) {
	cp, ok := db.cps.m[changelog]
	return cp, ok
}

// Clean implements store.DB.
func (db *DB) Clean() bool { return db.clean }

// Size implements store.DB.
func (db *DB) Size() int64 {
	if db.closed.Load() {
		return 0
	}
	return db.base.Size()
}

// errOpen is returned where no transaction may be open.
func (db *DB) errOpen(what string) error {
	return fmt.Errorf("overlay: %s while a transaction with %d dirty rows is open: commit or abort it first", what, db.t.Dirties())
}

// Close implements store.DB.
func (db *DB) Close() error {
	if db.closed.Load() {
		return nil
	}
	if db.err == nil {
		db.Abort()
		_ = db.depart() // the error is kept
	}
	_ = db.land()
	for it := range db.iters {
		_ = it.Close()
	}
	db.closed.Store(true)
	db.t.Close()
	db.tell()
	db.held.rows.free()
	db.air.rows.free()
	return errors.Join(db.err, db.base.Close(db.err == nil))
}
