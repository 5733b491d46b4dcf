// Package memstore keeps the rows of a task in memory. It serves topology tests and stores declared store.InMemory, and
// makes the same promises as a store on disk, except that Close loses everything: its state is restored from the
// changelogs.
//
//	db := memstore.Open("counts", "seen")
//	defer db.Close()
package memstore
