// Package table is the state of one task in memory: what the open transaction wrote, what is committed and not yet on
// disk, and a cache of what is on disk, as entries of one structure. So a read is one look-up.
//
//	          Set, Delete               Commit                  Landed                Evict
//	clean ───────────────► dirty ────────────────► committed ────────────► durable ────────► gone
//	(Fill)                   │ Abort, Rollback                             (= clean)
//	  ▲──────────────────────┘
//
// An entry carries the number (epoch) of the transaction that wrote it last, and that is its whole state:
//
//	epoch = 0                     read from disk
//	0 < epoch <= durable          committed, and disk has it
//	durable < epoch < open        committed, and disk may lack it
//	epoch = open                  written by the open transaction
//
// Only entries with epoch <= durable may be evicted. So **a miss in the table means "ask the disk"**, and where both have a
// key the table is right. Nothing is marked when a flush ends: durable moves on.
//
// An entry is a cell in a segment of memory, found by an open hash table of 8-byte slots; neither holds a pointer, and
// both lie outside the Go heap. A write changes a cell in place. Before the first change since the beginning of the
// transaction (since the last savepoint, if there is one) the former value goes to an undo log, which makes aborts and
// savepoints exact and gives the committed value that a table's change needs.
//
//	t := table.New(1)
//	r := t.Find(key)
//	if r == 0 {
//		r = t.Fill(key, value, onDisk) // what the disk says
//	}
//	t.Set(part, r, newValue)
//	t.Commit()
//
// A Ref says where an entry is now; growing a value and evicting move entries, so a Ref is good until the next write or
// commit. Entries are not in key order: parts that are scanned keep an order of the entries that disk may lack, made when
// it is first asked for; parts that are only read by key pay nothing for it.
package table
