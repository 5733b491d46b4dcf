package workload

import (
	"encoding/binary"
	"fmt"
)

const (
	longBytes  = 1 << 10 // of a value that is shuffled
	everyTenth = 10
)

// Matches returns the rule that a value goes to, of so many, and whether it goes to one: the first 8 bytes are a number x,
// big endian; one value in five, where x mod 5 is 0, goes to rule x/5 mod rules. It is part of the contract.
func Matches(value []byte, rules uint64) (rule uint64, ok bool) {
	x := binary.BigEndian.Uint64(value)
	return x / 5 % rules, x%5 == 0
}

// Rules returns how many rules a workload has, 0 if it has none.
func (w Workload) Rules() uint64 {
	if w.kind == shuffling {
		return w.keys
	}
	return 0
}

// shuffleChecker wants every tenth count of every rule: 10, 20, 30 … Keys are rules, 8 bytes, big endian.
type shuffleChecker struct {
	want, got []uint64
	records   int64
}

func newShuffleChecker(w Workload, n int64) *shuffleChecker {
	c := &shuffleChecker{want: make([]uint64, w.keys), got: make([]uint64, w.keys)}
	var value []byte
	for i := range n {
		value = appendBytes(value[:0], saltValue, uint64(i), 8)
		if rule, ok := Matches(value, w.keys); ok {
			c.want[rule]++
		}
	}
	for rule := range c.want {
		c.want[rule] -= c.want[rule] % everyTenth
	}
	return c
}

func (c *shuffleChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes, 8); err != nil {
		return err
	}
	rule := binary.BigEndian.Uint64(r.Key)
	if rule >= uint64(len(c.want)) {
		return fmt.Errorf("partition %d: key %x is no rule", r.Partition, r.Key)
	}
	if n := binary.BigEndian.Uint64(r.Value); n != c.got[rule]+everyTenth || n > c.want[rule] {
		return fmt.Errorf("partition %d: rule %d: %d after %d, want the next multiple of %d up to %d", r.Partition, rule, n, c.got[rule], everyTenth, c.want[rule])
	}
	c.got[rule] += everyTenth
	c.records++
	return nil
}

func (c *shuffleChecker) Complete() error {
	for rule := range c.want {
		if c.got[rule] != c.want[rule] {
			return fmt.Errorf("rule %d ends at %d, want %d", rule, c.got[rule], c.want[rule])
		}
	}
	return nil
}

func (c *shuffleChecker) Records() int64 { return c.records }
