package workload

import (
	"encoding/binary"
	"fmt"
)

const windowMS = 60_000

// windowChecker wants the count of every key in every 1-minute window. Its cells are rows of keys, one row per window.
// Headers are not looked at.
type windowChecker struct {
	tally
	keys  uint64
	first int64 // start of the first window, milliseconds since the epoch
}

func newWindowChecker(w Workload, n, start int64, everyUpdate bool) *windowChecker {
	first := start - start%windowMS
	windows := (w.time(n, start)-first)/windowMS + 1
	cells := uint64(windows) * w.keys
	c := &windowChecker{
		tally: tally{want: make([]uint32, cells), got: make([]uint32, cells), everyUpdate: everyUpdate},
		keys:  w.keys, first: first,
	}
	for i := range n {
		c.want[uint64((w.time(i, start)-first)/windowMS)*w.keys+w.key(i)]++
	}
	return c
}

func (c *windowChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes+8, 8); err != nil {
		return err
	}
	id, at := keyID(r.Key[:KeyBytes]), int64(binary.BigEndian.Uint64(r.Key[KeyBytes:]))-c.first
	cell := uint64(at/windowMS)*c.keys + id
	if id >= c.keys || at < 0 || at%windowMS != 0 || cell >= uint64(len(c.want)) {
		return fmt.Errorf("partition %d: key %x is no window's", r.Partition, r.Key)
	}
	plain := *r
	plain.Marked = false
	return c.next(&plain, cell)
}
