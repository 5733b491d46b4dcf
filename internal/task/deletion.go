package task

import (
	"hash/maphash"
	"math"

	"github.com/millrace-streams/millrace/internal/record"
)

// deletions remember when rows were deleted in the open transaction: the time of the record in hand, and of stores that log
// them the headers, which a row that is gone cannot tell. Keys are hashes, so that nothing is allocated per deletion; two
// keys of one hash would exchange times.
type deletions struct {
	seed    maphash.Seed
	times   map[uint64]int64
	headers map[uint64][]record.Header // of deletions by records that have some
}

// buried is noted instead of a time for a row that had expired.
const buried = math.MinInt64

func newDeletions() deletions {
	return deletions{maphash.MakeSeed(), map[uint64]int64{}, map[uint64][]record.Header{}}
}

func (d *deletions) note(key []byte, ms int64, headers []record.Header) {
	h := maphash.Bytes(d.seed, key)
	d.times[h] = ms
	if len(headers) > 0 {
		d.headers[h] = headers
	} else if len(d.headers) > 0 {
		delete(d.headers, h)
	}
}

func (d *deletions) clear() {
	clear(d.times)
	clear(d.headers)
}

// deletedAt returns the time of the deletion of a row: stream time if nobody has said.
func (t *Task) deletedAt(key []byte) int64 {
	if ms, ok := t.deleted.times[maphash.Bytes(t.deleted.seed, key)]; ok && ms >= 0 {
		return ms
	}
	return t.eventTime()
}

// isBuried reports whether a row was last removed because it had expired.
func (t *Task) isBuried(key []byte) bool {
	ms, ok := t.deleted.times[maphash.Bytes(t.deleted.seed, key)]
	return ok && ms == buried
}

// deletedWith returns the headers of the record that deleted a row of a store that logs them.
func (t *Task) deletedWith(key []byte) []record.Header {
	if len(t.deleted.headers) == 0 {
		return nil
	}
	return t.deleted.headers[maphash.Bytes(t.deleted.seed, key)]
}
