package overlay

import (
	"bytes"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/table"
)

// Set implements store.DB.
func (db *DB) Set(key, value []byte) error { return db.set(key, value, false) }

// Insert implements store.DB.
func (db *DB) Insert(key, value []byte) error { return db.set(key, value, true) }

func (db *DB) set(key, value []byte, absent bool) error {
	r, err := db.forWrite(key, value, absent)
	if err != nil {
		return err
	}
	db.t.Set(db.part(key), r, value)
	return nil
}

// Delete implements store.DB.
func (db *DB) Delete(key []byte) error {
	r, err := db.forWrite(key, nil, false)
	if err != nil {
		return err
	}
	db.t.Delete(db.part(key), r)
	return nil
}

// forWrite returns the entry of a key about to be written. One that the table does not have is read from the base, so
// that its former value is known, unless it is known to be absent.
func (db *DB) forWrite(key, value []byte, absent bool) (table.Ref, error) {
	if err := db.usable(); err != nil {
		return 0, err
	}
	if db.loads > 0 {
		db.settle()
	}
	if err := fits(key, value); err != nil {
		return 0, err
	}
	if r := db.t.Find(key); r != 0 {
		return r, nil
	}
	if absent {
		return db.t.FillFor(key, nil, false, len(value)), nil
	}
	return db.fetch(key, len(value))
}

// Mark implements store.DB.
func (db *DB) Mark() int { return db.t.Mark() }

// Rollback implements store.DB.
func (db *DB) Rollback(mark int) {
	notes := db.t.Rollback(mark)
	db.gone = db.gone[:len(db.gone)-notes]
}

// Abort implements store.DB.
func (db *DB) Abort() {
	if db.closed.Load() {
		return
	}
	db.t.Abort()
	db.gone = db.gone[:0]
}

// Dirty implements store.DB. The slices change when f writes the same row.
func (db *DB) Dirty(prefix []byte, f func(store.Dirty) bool) {
	if db.closed.Load() {
		return
	}
	if len(prefix) >= PrefixLen {
		part := db.part(prefix)
		for i := 0; i < db.t.DirtyOf(part); i++ {
			at, r := db.t.DirtyIn(part, i)
			if !db.dirty(at, r, prefix[PrefixLen:], PrefixLen, f) {
				return
			}
		}
		return
	}
	for i := 0; i < db.t.Dirties(); i++ {
		if !db.dirty(i, db.t.Dirty(i), prefix, 0, f) {
			return
		}
	}
}

func (db *DB) dirty(at int, r table.Ref, prefix []byte, from int, f func(store.Dirty) bool) bool {
	d := store.Dirty{Key: db.t.Key(r)}
	if len(prefix) > 0 && !bytes.HasPrefix(d.Key[from:], prefix) {
		return true
	}
	if d.Before, d.Had = db.t.Before(at); !d.Had {
		d.Before = nil
	}
	if d.Value, d.Has = db.t.Value(r); !d.Has {
		d.Value = nil
	}
	return f(d)
}

// Wrote implements store.DB.
func (db *DB) Wrote() bool { return db.t.Dirties() > 0 }

// Pending implements store.DB.
func (db *DB) Pending() int64 { return db.t.Pending() }
