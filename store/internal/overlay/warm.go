package overlay

import (
	"bytes"
	"slices"
)

// group is the keys of a Warm that the table does not have.
type group struct{ keys [][]byte }

// Warm implements store.DB.
func (db *DB) Warm(keys [][]byte) error {
	if err := db.usable(); err != nil {
		return err
	}
	g := db.group.keys[:0]
	db.t.Missing(keys, func(key []byte) { g = append(g, key) })
	defer func() {
		clear(g)
		db.group.keys = g[:0]
	}()
	if len(g) == 0 || db.whole() || !db.mayGrow() {
		return nil
	}
	slices.SortFunc(g, bytes.Compare)
	g = slices.CompactFunc(g, bytes.Equal)
	if len(g) < minGroup { // opening a walk costs as much as some look-ups
		return nil
	}
	err := db.base.Read(g, func(key, value []byte, ok bool) error {
		if err := fits(key, value); err != nil {
			return err
		}
		db.t.Fill(key, value, ok)
		db.taste.missed(ok)
		db.taste.hits-- // it will be asked for, and be there
		return nil
	})
	if err != nil {
		return db.fail(err)
	}
	return nil
}

// minGroup is the fewest keys worth a walk.
const minGroup = 8
