// Package overlay makes a transactional store.DB of a Base, which holds rows but knows no transactions. It owns what
// happens between the two: which committed rows wait, when they go to the base, and what a read finds on the way.
//
//	Get, Set ──► table.Table ── miss ────────────► Base (Pebble, memory)
//	               │                                 ▲
//	             Commit ──► run, run, run ── sorted ─┘ Apply, on another goroutine, one at a time
//
// The table holds everything that the base may lack, so a miss in it means that the base knows (see package table). A commit walks
// the dirty entries once into a run, which is immutable from then on; runs are held until they are worth a file, and then
// go to the base in one Apply: whole transactions, all since the last one, with the checkpoints they go to. The open
// transaction needs no place of its own.
//
// Loaded rows (a restore) are transactions too, without former values; they are held longer, since while a task is
// restored the memory of its transactions is free.
package overlay
