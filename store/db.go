package store

// DB holds the rows of all stores of one task: the seam between the runtime and a storage engine (memstore,
// pebblestore). A key begins with its store's prefix, and is row identity: what deduplicates the changelog.
//
//	          Set, Delete                Commit                  (another goroutine)
//	clean ───────────────► dirty ───────────────► committed ───────────────► durable
//	  ▲                      │ Abort, Rollback
//	  └──────────────────────┘
//
// Promises:
//   - reads see the open transaction, over committed, over durable rows;
//   - nothing uncommitted is ever on disk: a crash leaves whole transactions, in order, and with them the changelog
//     offsets they end at (Checkpoint). What was committed and is not yet durable comes back from the changelog;
//   - Abort is exact: afterwards every read answers as after the last Commit.
//
// A DB belongs to one goroutine at a time.
type DB interface {
	// Prefix returns the bytes all keys of the named store begin with; prefixes of two stores never begin with one
	// another. The store must have been named when the DB was opened. The prefix stays the same over restarts.
	Prefix(store string) []byte

	// Get returns the value of a key. It must not be changed, and is valid until the next call of a method that writes.
	Get(key []byte) (value []byte, ok bool, err error)
	// Warm has the rows of keys at hand that will be asked for soon: those that are not in memory are read in key order. It
	// changes no answer. The keys must not change until it returns.
	Warm(keys [][]byte) error
	// Set writes a row in the open transaction. Key and value are copied. A nil value is an empty one.
	Set(key, value []byte) error
	// Insert is Set for a key that the caller knows to have no row: nothing is read. If there is one after all, an abort of
	// the transaction loses it.
	Insert(key, value []byte) error
	// Delete removes a row in the open transaction.
	Delete(key []byte) error
	// Range returns the rows with from <= key < to in key order, or backwards; nil is open. The rows are those of the moment of
	// the call, or a mixture with later writes by the same goroutine: a row not written since is always right. Bounds are
	// copied.
	Range(from, to []byte, reverse bool) Iter

	// Expire gives up the rows with from <= key < to: from the Commit of the open transaction on they may be gone, from disk
	// some time later, without a word to the changelog. Until then, and after, reads may show them or not: the caller knows
	// what has expired. Rows must not be written there again. Both bounds are of one store.
	Expire(from, to []byte) error

	// Mark returns a savepoint of the open transaction; Rollback takes back all writes since.
	Mark() int
	Rollback(mark int)

	// Dirty calls f once per key with the given prefix written in the open transaction, in the order of the first write,
	// until f returns false. f may write: keys dirtied during the walk are visited too.
	Dirty(prefix []byte, f func(Dirty) bool)
	// Wrote reports whether the open transaction has dirty keys.
	Wrote() bool
	// Pending returns the bytes held by the open transaction.
	Pending() int64

	// Commit ends the open transaction: its rows become durable some time later, in one batch with the checkpoints, alone
	// or with other transactions. It may wait while an earlier batch is still under way, and returns the error of that
	// one; the DB is then of no further use.
	Commit(checkpoints ...Checkpoint) error
	// Abort takes back all writes since the last Commit.
	Abort()

	// Checkpoint returns how far the rows of the named changelog's store go.
	Checkpoint(changelog string) (Checkpoint, bool)
	// Load writes rows of a changelog outside any transaction, with the checkpoint they end at; a nil Value deletes. No
	// transaction may be open.
	Load(rows []KV, at Checkpoint) error
	// Wipe removes all rows of a store and the checkpoint of its changelog. No transaction may be open.
	Wipe(store, changelog string) error

	// Clean reports whether the DB was new or closed in order before this opening.
	Clean() bool
	// Size returns the bytes on disk (or, in memory, of all rows), roughly.
	Size() int64
	// Flush makes all committed rows durable, with the checkpoints, which it stamps first with the given time.
	Flush(stamp int64) error
	// Close aborts the open transaction, flushes, and closes.
	Close() error
}

// Dirty is one row of the open transaction. The slices are valid inside the call, until it writes the same row.
type Dirty struct {
	Key    []byte // with the store's prefix
	Before []byte // the committed value
	Had    bool   // there was one
	Value  []byte // the value now
	Has    bool   // there is one
}

// KV is one row as bytes. A nil value is a deletion.
type KV struct{ Key, Value []byte }

// A Checkpoint says how far a store's rows reflect its changelog.
type Checkpoint struct {
	Changelog string   // topic name
	TopicID   [16]byte // of the topic the offset belongs to
	Offset    int64    // next offset to read
	Stamp     int64    // when the store was last known to be at the end of the changelog, milliseconds since the epoch
}

// Iter walks over rows:
//
//	for it.Next() { use(it.Key(), it.Value()) }
//	err := it.Close()
//
// Key and value are valid until the next call of Next. Close is called once, and nothing after it: the walk may serve
// again.
type Iter interface {
	Next() bool
	Key() []byte
	Value() []byte
	Close() error
}
