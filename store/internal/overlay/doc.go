// Package overlay makes a transactional store.DB of a Base, which holds rows but knows no transactions. It owns what the
// base does not have yet: the writes of the open transaction with their before-images, the committed rows on their way
// to the base, and a cache of clean rows. All three are entries of one table, so a read is one look-up.
//
//	Get, Set ──► table ── miss ──────────► Base (Pebble, memory)
//	               │                         ▲
//	             Commit ──► held ── Rows ────┘ Apply, on another goroutine, one at a time
//
// An entry carries the number (epoch) of the transaction that wrote it last. The open transaction has the highest
// epoch; applied is the highest one whose rows the base has:
//
//	0 (read from the base) < … <= applied < … (in the air) < … (held) < open
//
// Entries above applied are listed, and only others may be evicted. So a miss in the table means that the base knows,
// and where both have a key the table is right: that is the whole protocol between the two.
//
// A write changes the entry in place. Before the first change since the last savepoint (or the beginning of the
// transaction) its former value goes to an undo log, which gives exact aborts, savepoints, and the committed value that
// a table's change needs. A key that the table does not hold is read from the base before it is written, so that its
// former value is known.
//
// Committed rows are held until they are worth a batch; the base gets whole transactions, in order, with the checkpoints
// they go to. Loaded rows are transactions too, without before-images.
//
// Listed rows are not kept in key order: stores that are never scanned pay nothing. Range sorts them when asked and
// merges them with the base's iterator.
//
// The table is free of pointers: rows lie in segments of bytes, entries and index in flat arrays. The garbage collector
// does not look into it.
package overlay
