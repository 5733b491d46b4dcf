// Package pebblestore keeps the rows of tasks on disk: one Pebble database per task directory, and one Engine per
// process, which owns the memory all of them share.
//
//	Engine ── block cache, file cache, one memory budget
//	  ├── state/0_0  rows of all stores of the task, catalog, checkpoints
//	  ├── state/0_1
//	  └── …
//
//	engine := pebblestore.NewEngine(256<<20, logger)
//	defer engine.Close()
//	db, err := engine.Open(dir, []string{"counts"}, pebblestore.Options{})
//
// Nothing uncommitted is ever on disk, and there is no write-ahead log: the changelog topic is the log. A committed
// transaction is one atomic batch with the offsets its rows go to, so that a directory found after a crash holds a
// prefix of the transactions and says where in the changelogs the rest begins.
//
// Errors of a directory are typed: *store.LockedError, *store.FormatError, *store.CorruptError. An engine that could not
// write (a full disk) returns the error from every method from then on; the directory stays valid.
package pebblestore
