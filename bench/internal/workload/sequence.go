package workload

import "fmt"

// sequence checks outputs that stand for one input record each: every number of [0, n) once, rising in each partition.
// Equal keys share a partition (the harness checks the placement), so a rising number excludes repeats.
type sequence struct {
	n, seen int64
	last    [Partitions]int64 // number of the last record, -1 before the first
}

func newSequence(n int64) sequence {
	s := sequence{n: n}
	for p := range s.last {
		s.last[p] = -1
	}
	return s
}

func (s *sequence) next(partition int32, i uint64) error {
	if i >= uint64(s.n) {
		return fmt.Errorf("partition %d: a value that is no input's, after record %d", partition, s.last[partition])
	}
	if int64(i) <= s.last[partition] {
		return fmt.Errorf("partition %d: record %d after record %d: repeated or out of order", partition, i, s.last[partition])
	}
	s.last[partition] = int64(i)
	s.seen++
	return nil
}

func (s *sequence) Complete() error {
	if s.seen != s.n {
		return fmt.Errorf("%d of %d records are missing", s.n-s.seen, s.n)
	}
	return nil
}

func (s *sequence) Records() int64 { return s.seen }
