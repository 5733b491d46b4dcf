package dsl

import (
	"hash/maphash"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// fewUpdates is how many updates of a transaction are kept in mind.
const fewUpdates = 1024

// updates are the rows that were updated in the open transaction, in that order, as long as they are few.
//
// Kafka Streams forwards what its cache holds in the order of the last updates. A store knows the order of the first ones.
// To sort every transaction would cost more than it is worth: nobody can rely on an order within a commit that comes by the
// clock. Where a record is a transaction, as in tests, the order shows.
type updates struct {
	seed maphash.Seed
	keys []uint64          // hashes: two rows of one hash may change places
	at   []record.Position // of the records that updated them; an offset of -1: a timer did
	many bool
	last map[uint64]int // when a row was updated last; scratch
}

func newUpdates() updates { return updates{seed: maphash.MakeSeed(), last: map[uint64]int{}} }

// note tells of an update by the record in hand.
func (u *updates) note(key []byte, env graph.Env) {
	if u.many = u.many || len(u.keys) == fewUpdates; u.many {
		return
	}
	at, ok := graph.Where(env)
	if !ok {
		at.Offset = -1
	}
	u.keys, u.at = append(u.keys, maphash.Bytes(u.seed, key)), append(u.at, at)
}

// forget begins a transaction.
func (u *updates) forget() { u.keys, u.at, u.many = u.keys[:0], u.at[:0], false }

// count finds out when each row was updated last, for turn.
func (u *updates) count() {
	clear(u.last)
	for i, k := range u.keys {
		u.last[k] = i
	}
}

// turn returns when a row was updated last.
func (u *updates) turn(key []byte) int { return u.last[maphash.Bytes(u.seed, key)] }

// where returns where the record was read that updated a row in its turn, nil if none did.
func (u *updates) where(turn int) *record.Position {
	if turn >= len(u.at) || u.at[turn].Offset < 0 {
		return nil
	}
	return &u.at[turn]
}
