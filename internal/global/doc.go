// Package global keeps a table of which every process holds all partitions: it applies the records of its topic, which is
// its changelog, to one database, and lets the tasks of the process read that while it goes on.
//
//	topic, all partitions ──► Feed ──► database ◄── View ◄── tasks, each from its own goroutine
//	                           │
//	                           └── what cannot be decoded is judged by the error policy
//
// There is no transaction: a record is applied when it was read, and a position is kept with the rows it leads to. The
// package does no I/O but the database's: the runtime fetches, and feeds what came.
//
//	t := global.New(global.Config{Global: g, DB: db})
//	err := t.Feed(partition, id, records, next, true)
//	row, ok, err := t.View().Get(key)
package global
