package overlay

import (
	"bytes"

	"github.com/millrace-streams/millrace/store"
)

// A transaction is what the open transaction did: which rows it wrote, and how to take that back.
type transaction struct {
	dirty  []touch // all rows written, in order of the first write; parts hold the same by store
	undo   []image
	images []byte // former values; undo points into it
	gone   []Span // expired in it
	save   uint32 // number of the last savepoint
	size   int64  // bytes of the dirty rows
}

// A touch is a row's first write in the transaction.
type touch struct {
	id   uint32
	undo uint32 // index of its image: the committed row
}

// An image is what an entry was before a write.
//
// A zero id stands for the last of gone, which is taken back when the image is.
type image struct {
	epoch uint64
	id    uint32
	save  uint32
	flags uint32 // deleted or 0
	vlen  uint32
	off   int // the value is images[off : off+vlen]
}

// Set implements store.DB.
func (db *DB) Set(key, value []byte) error { return db.write(key, value, true) }

// Delete implements store.DB.
func (db *DB) Delete(key []byte) error { return db.write(key, nil, false) }

func (db *DB) write(key, value []byte, live bool) error {
	if err := db.usable(); err != nil {
		return err
	}
	if len(db.load.ids) > 0 {
		db.settle()
	}
	if len(key)+len(value) > maxRow {
		return tooLong(key, value)
	}
	t := db.t
	id := t.find(key)
	if id == 0 {
		var err error
		if id, err = db.fetch(key); err != nil {
			return err
		}
	}
	e := t.at(id)
	if e.epoch != db.epoch || e.save != db.tx.save {
		db.remember(id, e)
	}
	db.tx.size += int64(len(value)) - int64(e.vlen)
	if live {
		e.flags &^= deleted
	} else {
		e.flags |= deleted
	}
	t.set(id, value)
	return nil
}

// remember puts the row as it is into the undo log; its first write in the transaction makes it dirty.
func (db *DB) remember(id uint32, e *entry) {
	tx := &db.tx
	if e.epoch != db.epoch {
		p := db.partOf(db.t.key(e))
		w := touch{id, uint32(len(tx.undo))}
		tx.dirty = append(tx.dirty, w)
		p.dirty = append(p.dirty, w)
		p.list(id, e)
		tx.size += int64(e.klen) + int64(e.vlen)
	}
	tx.undo = append(tx.undo, image{epoch: e.epoch, id: id, save: e.save, flags: e.flags & deleted, vlen: e.vlen, off: len(tx.images)})
	tx.images = append(tx.images, db.t.value(e)...)
	e.epoch, e.save = db.epoch, tx.save
}

// list notes that the base may lack a row.
func (p *part) list(id uint32, e *entry) {
	if e.flags&listed == 0 {
		e.flags |= listed
		p.lacks = append(p.lacks, id)
	}
}

// Mark implements store.DB.
func (db *DB) Mark() int {
	db.tx.save++
	return len(db.tx.undo)
}

// Rollback implements store.DB.
func (db *DB) Rollback(mark int) {
	tx := &db.tx
	if mark > len(tx.undo) {
		panic("overlay: a savepoint of another transaction, or one behind a savepoint rolled back to")
	}
	for i := len(tx.undo) - 1; i >= mark; i-- {
		im := tx.undo[i]
		if im.id == 0 {
			tx.gone = tx.gone[:len(tx.gone)-1]
			continue
		}
		e := db.t.at(im.id)
		tx.size += int64(im.vlen) - int64(e.vlen)
		if im.epoch != db.epoch { // its first write: clean again
			p := db.partOf(db.t.key(e))
			p.dirty = p.dirty[:len(p.dirty)-1]
			tx.dirty = tx.dirty[:len(tx.dirty)-1]
			tx.size -= int64(e.klen) + int64(im.vlen)
		}
		e.epoch, e.save = im.epoch, im.save
		e.flags = e.flags&^deleted | im.flags
		db.t.set(im.id, tx.images[im.off:im.off+int(im.vlen)]) // fits: cells never shrink
		tx.images = tx.images[:im.off]
	}
	tx.undo = tx.undo[:mark]
}

// Abort implements store.DB.
func (db *DB) Abort() {
	if db.closed.Load() {
		return
	}
	db.Rollback(0)
	db.tx.reset()
}

// Dirty implements store.DB. The slices change when f writes the same row.
func (db *DB) Dirty(prefix []byte, f func(store.Dirty) bool) {
	if db.closed.Load() {
		return
	}
	list, within := &db.tx.dirty, len(prefix)
	if within >= PrefixLen {
		list, within = &db.partOf(prefix).dirty, within-PrefixLen
	}
	for i := 0; i < len(*list); i++ {
		w := (*list)[i]
		e := db.t.at(w.id)
		key := db.t.key(e)
		if within > 0 && !bytes.HasPrefix(key, prefix) {
			continue
		}
		im := &db.tx.undo[w.undo]
		d := store.Dirty{Key: key}
		if im.flags&deleted == 0 {
			d.Before, d.Had = db.tx.images[im.off:im.off+int(im.vlen):im.off+int(im.vlen)], true
		}
		if e.live() {
			d.Value, d.Has = db.t.value(e), true
		}
		if !f(d) {
			return
		}
	}
}

// Wrote implements store.DB.
func (db *DB) Wrote() bool { return len(db.tx.dirty) > 0 }

// Pending implements store.DB: rows, their before-images, and the lists.
func (db *DB) Pending() int64 {
	tx := &db.tx
	return tx.size + int64(len(tx.images)) + 40*int64(len(tx.undo)) + (32+2*8)*int64(len(tx.dirty))
}

// reset begins a new transaction. Memory of an unusually large one is given back.
func (tx *transaction) reset() {
	tx.dirty, tx.undo, tx.images = trim(tx.dirty), trim(tx.undo), trim(tx.images)
	clear(tx.gone)
	tx.gone = tx.gone[:0]
	tx.save, tx.size = 0, 0
}

// trim empties a list and keeps its memory, unless it is large and was hardly used.
func trim[T any](s []T) []T {
	if cap(s) > 1<<16 && len(s) < cap(s)/16 {
		return nil
	}
	return s[:0]
}
