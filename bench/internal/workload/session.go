package workload

import (
	"encoding/binary"
	"fmt"
)

const gapMS = 10_000

// sessionChecker wants the sessions of every key as they grow: a row for a record that begins one; for each further record
// a deletion of the row there was and a row that ends with it. Where once per commit is enough, rows may be left out that
// were replaced. Headers are not looked at.
type sessionChecker struct {
	times       [][]int64 // of each key's records, rising
	at          []session // last written of each key
	everyUpdate bool
	records     int64
}

// A session is a row: that of the key's records[:n] which it holds, and where they end.
type session struct {
	next    int    // place in times of the first record that was not seen yet
	start   int64  // of the row
	n       uint64 // its count; 0: there was none
	deleted bool   // and the row was
}

func newSessionChecker(w Workload, n, start int64, everyUpdate bool) *sessionChecker {
	c := &sessionChecker{times: make([][]int64, w.keys), at: make([]session, w.keys), everyUpdate: everyUpdate}
	for i := range n {
		id := w.key(i)
		c.times[id] = append(c.times[id], w.time(i, start))
	}
	return c
}

func (c *sessionChecker) Check(r *Record) error {
	if len(r.Key) != KeyBytes+16 || r.Value != nil && len(r.Value) != 8 {
		return fmt.Errorf("partition %d: key %x has %d bytes, value %d: want %d and 8 or a deletion", r.Partition, r.Key, len(r.Key), len(r.Value), KeyBytes+16)
	}
	id := keyID(r.Key[:KeyBytes])
	if id >= uint64(len(c.at)) {
		return fmt.Errorf("partition %d: key %x is no input's", r.Partition, r.Key)
	}
	end, start := int64(binary.BigEndian.Uint64(r.Key[KeyBytes:])), int64(binary.BigEndian.Uint64(r.Key[KeyBytes+8:]))
	c.records++
	s, times := &c.at[id], c.times[id]
	if r.Value == nil {
		if s.n == 0 || s.deleted || start != s.start || end != times[s.next-1] || !grows(times, s.next) {
			return fmt.Errorf("partition %d: key %x: a deletion of what is not there, or stays", r.Partition, r.Key)
		}
		s.deleted = true
		return nil
	}
	for steps := 0; ; steps++ {
		if s.next == len(times) || steps > 0 && c.everyUpdate {
			return fmt.Errorf("partition %d: key %x: a session that no record ends, or one that was not written", r.Partition, r.Key)
		}
		switch grown := grows(times, s.next); {
		case grown && steps == 0 && !s.deleted:
			return fmt.Errorf("partition %d: key %x: the session from %d grew and its row was not deleted", r.Partition, r.Key, s.start)
		case grown:
			s.n++
		case steps > 0:
			return fmt.Errorf("partition %d: key %x: the session from %d was not written", r.Partition, r.Key, s.start)
		default:
			s.start, s.n = times[s.next], 1
		}
		s.next++
		s.deleted = false
		if times[s.next-1] == end {
			break
		}
	}
	if n := binary.BigEndian.Uint64(r.Value); start != s.start || n != s.n {
		return fmt.Errorf("partition %d: key %x: %d records from %d, want %d from %d", r.Partition, r.Key, n, start, s.n, s.start)
	}
	return nil
}

// grows says whether record i of a key belongs to the session of the one before it.
func grows(times []int64, i int) bool {
	return i > 0 && i < len(times) && times[i]-times[i-1] <= gapMS
}

func (c *sessionChecker) Complete() error {
	for id := range c.at {
		if s := &c.at[id]; s.next != len(c.times[id]) || s.deleted {
			return fmt.Errorf("key %x: the last sessions are missing: %d of %d records are in one", appendKey(nil, uint64(id)), s.next, len(c.times[id]))
		}
	}
	return nil
}

func (c *sessionChecker) Records() int64 { return c.records }
