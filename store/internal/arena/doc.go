// Package arena gives memory that the garbage collector neither looks into nor counts. It owns the pages it asked the
// system for, in slabs of 8 MiB aligned so that the system may back them with large pages:
//
//	slab  ├── 1 MiB ──┼── 1 MiB ──┼─ 64 KiB ─┬─ 64 KiB ─┬ … ┼ …
//	      Alloc(1 MiB)            Alloc(50 KiB)
//
//	b := arena.Alloc(1 << 20)
//	defer arena.Free(b)
//
// Memory counted by the collector makes the process grow to twice of it before the next collection; a cache of half the
// budget must not be counted. What is given must hold no pointers into the Go heap.
//
// Blocks below 16 KiB, and all blocks where the system has no such memory, are ordinary slices. All functions are safe
// for concurrent use.
package arena
