package task

import "hash/maphash"

// deletions remember when rows were deleted in the open transaction: the time of the record in hand, which a row that is
// gone cannot tell. Keys are hashes, so that nothing is allocated per deletion; two keys of one hash would exchange times.
type deletions struct {
	seed  maphash.Seed
	times map[uint64]int64
}

func newDeletions() deletions { return deletions{maphash.MakeSeed(), map[uint64]int64{}} }

func (d *deletions) note(key []byte, ms int64) { d.times[maphash.Bytes(d.seed, key)] = ms }

// deletedAt returns the time of the deletion of a row: stream time if nobody has said.
func (t *Task) deletedAt(key []byte) int64 {
	if ms, ok := t.deleted.times[maphash.Bytes(t.deleted.seed, key)]; ok && ms >= 0 {
		return ms
	}
	return t.eventTime()
}
