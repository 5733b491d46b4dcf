package workload

import (
	"encoding/binary"
	"fmt"
)

// tally checks the counts of numbered cells: 1, 2, 3 … up to what is wanted, or rising numbers that end there.
type tally struct {
	want, got   []uint32
	everyUpdate bool
	records     int64

	marks, wantMarks int64 // headers; only forwarded where each input gives an output
}

func (t *tally) next(r *Record, cell uint64) error {
	t.records++
	if r.Marked {
		t.marks++
	}
	n, before := binary.BigEndian.Uint64(r.Value), uint64(t.got[cell])
	switch {
	case n > uint64(t.want[cell]):
		return fmt.Errorf("partition %d: key %x: count %d, but only %d records", r.Partition, r.Key, n, t.want[cell])
	case t.everyUpdate && n != before+1:
		return fmt.Errorf("partition %d: key %x: count %d after %d, want %d", r.Partition, r.Key, n, before, before+1)
	case n <= before:
		return fmt.Errorf("partition %d: key %x: count %d after %d, want more", r.Partition, r.Key, n, before)
	}
	t.got[cell] = uint32(n)
	return nil
}

func (t *tally) Complete() error {
	short, first := 0, -1
	for cell := range t.want {
		if t.got[cell] != t.want[cell] {
			if short++; first < 0 {
				first = cell
			}
		}
	}
	if short > 0 {
		return fmt.Errorf("%d of %d counts are short, the first ends at %d, want %d",
			short, len(t.want), t.got[first], t.want[first])
	}
	if t.everyUpdate && t.marks != t.wantMarks {
		return fmt.Errorf("%d outputs carry a header, want %d: headers are not forwarded", t.marks, t.wantMarks)
	}
	return nil
}

func (t *tally) Records() int64 { return t.records }

// countChecker wants the count of every key.
type countChecker struct{ tally }

func newCountChecker(w Workload, n int64, everyUpdate bool) *countChecker {
	c := &countChecker{tally{
		want: make([]uint32, w.keys), got: make([]uint32, w.keys), everyUpdate: everyUpdate, wantMarks: marks(n),
	}}
	for i := range n {
		c.want[w.key(i)]++
	}
	return c
}

func (c *countChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes, 8); err != nil {
		return err
	}
	id := keyID(r.Key)
	if id >= uint64(len(c.want)) {
		return fmt.Errorf("partition %d: key %x is no input's", r.Partition, r.Key)
	}
	return c.next(r, id)
}
