package workload

import (
	"bytes"
	"fmt"
)

// withinMS is how far two records may be apart that are joined.
const withinMS = 10_000

// The records of two streams that are joined take turns, 1 ms apart: no two are of the same time.
func streamAt(i int64) int64 { return 2 * i }
func mateAt(i int64) int64   { return 2*i + 1 }

// mateKey returns the number of the key of record i of the second stream.
func (w Workload) mateKey(i int64) uint64 { return choose(uint64(i)^saltMate, w.keys) }

// pairChecker wants every pair once: its key, the value of the stream followed by that of the other. The pairs of a key are
// in order of the later of the two, then of the earlier: so a record meets those before it, oldest first.
type pairChecker struct {
	w          Workload
	n          int64 // records of each stream
	want, seen int64
	last       [][2]int64 // of each key: times of the later and the earlier record of the pair before
	key, value []byte     // as expected
}

func newPairChecker(w Workload, n int64) *pairChecker {
	c := &pairChecker{w: w, n: n, last: make([][2]int64, w.keys)}
	for i := range c.last {
		c.last[i] = [2]int64{-1, -1}
	}
	streams, mates := make([]recent, w.keys), make([]recent, w.keys)
	for i := range n {
		a, b := w.key(i), w.mateKey(i)
		c.want += mates[a].since(streamAt(i) - withinMS)
		streams[a].add(streamAt(i))
		c.want += streams[b].since(mateAt(i) - withinMS)
		mates[b].add(mateAt(i))
	}
	return c
}

// recent is times, oldest first.
type recent struct{ times []int64 }

func (r *recent) add(t int64) { r.times = append(r.times, t) }

// since returns how many times are left when those before t are dropped.
func (r *recent) since(t int64) int64 {
	for len(r.times) > 0 && r.times[0] < t {
		r.times = r.times[1:]
	}
	return int64(len(r.times))
}

func (c *pairChecker) Check(r *Record) error {
	if err := sized(r, KeyBytes, 2*valueBytes); err != nil {
		return err
	}
	i, j := int64(valueID(r.Value, saltValue)), int64(valueID(r.Value[valueBytes:], saltMate))
	if i < 0 || j < 0 || i >= c.n || j >= c.n || c.w.key(i) != c.w.mateKey(j) {
		return fmt.Errorf("partition %d: key %x: the values are not of two records of one key", r.Partition, r.Key)
	}
	id := c.w.key(i)
	c.key = appendKey(c.key[:0], id)
	c.value = appendValue(c.value[:0], saltValue, uint64(i))
	c.value = appendValue(c.value, saltMate, uint64(j))
	if !bytes.Equal(c.key, r.Key) || !bytes.Equal(c.value, r.Value) {
		return fmt.Errorf("partition %d: pair %d, %d is %x: %x, want %x: %x", r.Partition, i, j, r.Key, r.Value, c.key, c.value)
	}
	now := [2]int64{max(streamAt(i), mateAt(j)), min(streamAt(i), mateAt(j))}
	if now[0]-now[1] > withinMS {
		return fmt.Errorf("partition %d: key %x: records %d and %d are %d ms apart", r.Partition, r.Key, i, j, now[0]-now[1])
	}
	if before := c.last[id]; now[0] < before[0] || now[0] == before[0] && now[1] <= before[1] {
		return fmt.Errorf("partition %d: key %x: pair %d, %d comes again or out of order", r.Partition, r.Key, i, j)
	}
	c.last[id] = now
	c.seen++
	return nil
}

func (c *pairChecker) Complete() error {
	if c.seen != c.want {
		return fmt.Errorf("%d of %d pairs are missing", c.want-c.seen, c.want)
	}
	return nil
}

func (c *pairChecker) Records() int64 { return c.seen }
