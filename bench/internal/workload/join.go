package workload

import (
	"bytes"
	"fmt"
)

// joinChecker wants every stream record once: its key, its value followed by the value of its key's row.
type joinChecker struct {
	sequence
	w          Workload
	key, value []byte // as expected
}

func (c *joinChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes, 2*valueBytes); err != nil {
		return err
	}
	i := valueID(r.Value, saltValue)
	if err := c.next(r.Partition, i); err != nil {
		return err
	}
	id := c.w.key(int64(i))
	c.key = appendKey(c.key[:0], id)
	c.value = appendValue(c.value[:0], saltValue, i)
	c.value = appendValue(c.value, saltRow, id)
	if !bytes.Equal(c.key, r.Key) || !bytes.Equal(c.value, r.Value) {
		return fmt.Errorf("partition %d: record %d is %x: %x, want %x: %x", r.Partition, i, r.Key, r.Value, c.key, c.value)
	}
	return nil
}
