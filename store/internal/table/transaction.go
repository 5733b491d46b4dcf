package table

// A touch is an entry's first write in the open transaction.
type touch struct {
	ref  Ref
	undo uint32 // place of its image: the committed row
}

// An image is what an entry was before a write. One without an entry is a note.
type image struct {
	off   uint64 // the value is images[off : off+vlen]
	epoch uint32
	dirty uint32 // place of the entry in Table.dirty, note for a note
	vlen  uint32
	flags uint32 // deleted or 0
}

const note = ^uint32(0)

// Set writes a value in the open transaction.
func (t *Table) Set(part int, r Ref, value []byte) { t.write(part, r, value, 0) }

// Delete removes the row in the open transaction.
func (t *Table) Delete(part int, r Ref) { t.write(part, r, nil, deleted) }

func (t *Table) write(p int, r Ref, value []byte, flag uint32) {
	h := t.at(r)
	switch {
	case h.epoch != t.epoch:
		t.touch(p, r, h)
	case t.mark >= 0: // again, unless it is what the last image since the savepoint is of
		if last := len(t.undo) - 1; last < t.mark || t.undo[last].dirty != h.list {
			t.remember(r, h)
		}
	}
	t.grown += int64(len(value)) - int64(h.vlen)
	r = t.fit(r, len(value))
	h = t.at(r)
	h.kf = h.kf&^deleted | flag
	t.put(r, value)
}

// touch makes an entry dirty.
func (t *Table) touch(p int, r Ref, h *header) {
	at := uint32(len(t.dirty))
	t.dirty = append(t.dirty, touch{r, uint32(len(t.undo))})
	q := &t.parts[p]
	q.dirty = append(q.dirty, at)
	t.grown += int64(h.klen()) + int64(h.vlen)
	h.list = at
	t.remember(r, h)
	h.epoch = t.epoch
	if q.order != nil && h.kf&ordered == 0 {
		q.order.add(t, r)
	}
}

// remember puts an entry as it is into the undo log.
func (t *Table) remember(r Ref, h *header) {
	t.undo = append(t.undo, image{off: uint64(len(t.images)), epoch: h.epoch, dirty: h.list, vlen: h.vlen, flags: h.kf & deleted})
	value, _ := t.Value(r)
	t.images = append(t.images, value...)
}

// Mark returns a savepoint.
func (t *Table) Mark() int {
	t.mark = len(t.undo)
	return t.mark
}

// Note puts a note into the undo log, which Rollback finds.
func (t *Table) Note() { t.undo = append(t.undo, image{dirty: note}) }

// Rollback takes back all writes since a savepoint of the open transaction, and returns how many notes it found.
func (t *Table) Rollback(mark int) (notes int) {
	if mark > len(t.undo) {
		panic("table: a savepoint of another transaction, or one behind a savepoint rolled back to")
	}
	for i := len(t.undo) - 1; i >= mark; i-- {
		im := &t.undo[i]
		if im.dirty == note {
			notes++
			continue
		}
		r := t.dirty[im.dirty].ref
		h := t.at(r)
		t.grown += int64(im.vlen) - int64(h.vlen)
		if im.epoch != t.epoch { // its first write: clean again
			q := &t.parts[t.Part(t.Key(r))]
			q.dirty = q.dirty[:len(q.dirty)-1]
			t.dirty = t.dirty[:len(t.dirty)-1]
			t.grown -= int64(h.klen()) + int64(im.vlen)
			h.list = 0
		}
		h.epoch = im.epoch
		h.kf = h.kf&^deleted | im.flags
		t.put(r, t.images[im.off:im.off+uint64(im.vlen)]) // there is room: cells never shrink
		t.images = t.images[:im.off]
	}
	t.undo = t.undo[:mark]
	return notes
}

// Abort takes back the whole transaction.
func (t *Table) Abort() {
	t.Rollback(0)
	t.reset()
}

// Commit ends the transaction: its entries are committed, and disk may lack them.
func (t *Table) Commit() {
	t.reset()
	t.epoch++
}

// reset begins a transaction. Memory of an unusually large one is given back.
func (t *Table) reset() {
	for i := range t.parts {
		t.parts[i].dirty = trim(t.parts[i].dirty)
	}
	t.dirty, t.undo, t.images = trim(t.dirty), trim(t.undo), trim(t.images)
	t.mark, t.grown = -1, 0
}

// trim empties a list and keeps its memory, unless it is large and was hardly used.
func trim[T any](s []T) []T {
	if cap(s) > 1<<16 && len(s) < cap(s)/16 {
		return nil
	}
	return s[:0]
}

// Dirties returns how many entries the open transaction wrote: all, or those of a part.
func (t *Table) Dirties() int { return len(t.dirty) }

// DirtyOf returns how many entries of a part the open transaction wrote.
func (t *Table) DirtyOf(part int) int { return len(t.parts[part].dirty) }

// Dirty returns the i-th entry of the open transaction, in order of the first write. Walks go upwards from 0.
func (t *Table) Dirty(i int) Ref {
	if i%groupLen == 0 {
		t.approach(t.dirty[i:min(i+groupLen, len(t.dirty))])
	}
	return t.dirty[i].ref
}

// DirtyIn returns the i-th entry of a part, and its place among all. Walks go upwards from 0.
func (t *Table) DirtyIn(part, i int) (at int, r Ref) {
	at = int(t.parts[part].dirty[i])
	if i%groupLen == 0 {
		t.approach(t.dirty[at:min(at+groupLen, len(t.dirty))])
	}
	return at, t.dirty[at].ref
}

// approach has entries in the processor's cache: the waits for their memory overlap.
func (t *Table) approach(group []touch) {
	near := uint32(0)
	for _, d := range group {
		near += t.at(d.ref).vlen
	}
	t.near = near
}

// Before returns the committed row of the i-th entry of the open transaction.
func (t *Table) Before(i int) (value []byte, had bool) {
	im := &t.undo[t.dirty[i].undo]
	return t.images[im.off : im.off+uint64(im.vlen) : im.off+uint64(im.vlen)], im.flags&deleted == 0
}

// Pending returns the bytes held by the open transaction: rows, their former values, and the lists.
func (t *Table) Pending() int64 {
	return t.grown + int64(len(t.images)) + 24*int64(len(t.undo)) + (headerLen+2*8)*int64(len(t.dirty))
}
