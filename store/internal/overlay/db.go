package overlay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/millrace-streams/millrace/store"
)

// maxRow is the most a key and its value may be long together, bytes.
const maxRow = 1 << 30

// Options says how an overlay is kept.
type Options struct {
	// Limit returns the bytes the table may hold after a commit; the rows that the base lacks are held in any case. It
	// is asked at each commit.
	Limit func() int64
	// Batch is how many bytes of committed rows are held before they are applied together. Zero applies each commit.
	Batch int
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
	names  map[string]*part
	parts  []*part            // in order of their prefixes
	prefix []*part            // by prefix as a number; nil: no store
	t      *table             // everything the base lacks, and a cache of what it has
	epoch  uint64             // of the open transaction; applied < epoch
	cps    checkpoints        // of all committed rows
	tx     transaction        // the open one
	load   loading            // committed by Load, not yet held; empty while a transaction is open
	held   batch              // committed, waiting for more
	air    flight             // on its way to the base
	err    error              // of the base: the database is of no further use
	closed atomic.Bool        // read by goroutines that outlive their task
	moves  uint64             // counts what makes iterators of the base miss rows
	iters  map[*iter]struct{} // open ones
	miss   []byte             // scratch for reads of the base
}

// A part is what belongs to one store.
type part struct {
	Store
	dirty []touch  // rows of the open transaction, in order of the first write
	lacks []uint32 // rows that the base may lack: all with epoch > applied, and others that are flagged listed
	order order    // of lacks
}

var _ store.DB = (*DB)(nil)

// Open makes a database of a base. checkpoints are those the base holds, clean says that it was new or closed in order.
func Open(base Base, stores []Store, checkpoints []store.Checkpoint, clean bool, opts Options) *DB {
	db := &DB{base: base, opts: opts, clean: clean, names: map[string]*part{}, t: newTable(), epoch: 1, iters: map[*iter]struct{}{}}
	db.air.done = make(chan error, 1)
	for _, s := range stores {
		p := &part{Store: s}
		db.names[s.Name] = p
		db.parts = append(db.parts, p)
		n := int(binary.BigEndian.Uint16(s.Prefix[:]))
		for len(db.prefix) <= n {
			db.prefix = append(db.prefix, nil)
		}
		db.prefix[n] = p
	}
	slices.SortFunc(db.parts, func(a, b *part) int { return bytes.Compare(a.Prefix[:], b.Prefix[:]) })
	db.cps.put(checkpoints...)
	return db
}

// Prefix implements store.DB.
func (db *DB) Prefix(name string) []byte {
	p := db.names[name]
	if p == nil {
		panic(fmt.Sprintf("overlay: store %q was not named when the database was opened", name))
	}
	return p.Prefix[:]
}

// partOf returns the store a key belongs to.
func (db *DB) partOf(key []byte) *part {
	if len(key) >= PrefixLen {
		if n := int(binary.BigEndian.Uint16(key)); n < len(db.prefix) && db.prefix[n] != nil {
			return db.prefix[n]
		}
	}
	panic(fmt.Sprintf("overlay: key %x begins with no store's prefix", key))
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
	id := db.t.find(key)
	if id == 0 {
		return db.read(key)
	}
	e := db.t.at(id)
	e.use()
	if !e.live() {
		return nil, false, nil
	}
	return db.t.value(e), true, nil
}

// read asks the base and keeps the answer, unless the table is well over its limit: it shrinks at commits only.
func (db *DB) read(key []byte) (value []byte, ok bool, err error) {
	if limit := db.opts.Limit(); db.t.bytes > limit+limit/4+4*maxSegment {
		value, ok, err = db.base.Get(nil, key)
		if err != nil {
			return nil, false, db.fail(err)
		}
		return value, ok, nil
	}
	id, err := db.fetch(key)
	if err != nil {
		return nil, false, err
	}
	e := db.t.at(id)
	return db.t.value(e), e.live(), nil
}

// fetch makes an entry of what the base has for a key.
func (db *DB) fetch(key []byte) (id uint32, err error) {
	value, ok, err := db.base.Get(db.miss[:0], key)
	if err != nil {
		return 0, db.fail(err)
	}
	db.miss = value[:0]
	if len(key)+len(value) > maxRow {
		return 0, tooLong(key, value)
	}
	id = db.t.insert(key, value, ok, 0)
	db.t.at(id).flags |= fresh
	return id, nil
}

func tooLong(key, value []byte) error {
	return fmt.Errorf("overlay: a row of %d bytes of key and %d of value is longer than the %d a store takes", len(key), len(value), maxRow)
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
	return fmt.Errorf("overlay: %s while a transaction with %d dirty rows is open: commit or abort it first", what, len(db.tx.dirty))
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
	return errors.Join(db.err, db.base.Close(db.err == nil))
}
