package workload

import (
	"bytes"
	"fmt"
)

// copyChecker wants every input record once: its key, its value with the bits of the first byte inverted, its header.
type copyChecker struct {
	sequence
	w          Workload
	key, value []byte // as expected
}

func (c *copyChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes, valueBytes); err != nil {
		return err
	}
	c.value = append(c.value[:0], r.Value...)
	c.value[0] ^= 0xff
	i := valueID(c.value, saltValue)
	if err := c.next(r.Partition, i); err != nil {
		return err
	}
	c.value = appendValue(c.value[:0], saltValue, i)
	c.value[0] ^= 0xff
	c.key = appendKey(c.key[:0], c.w.key(int64(i)))
	if !bytes.Equal(c.key, r.Key) || !bytes.Equal(c.value, r.Value) {
		return fmt.Errorf("partition %d: record %d is %x: %x, want %x: %x", r.Partition, i, r.Key, r.Value, c.key, c.value)
	}
	if r.Marked != marked(int64(i)) {
		return fmt.Errorf("partition %d: record %d: headers are not forwarded", r.Partition, i)
	}
	return nil
}
