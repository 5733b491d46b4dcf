package table

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"

	"github.com/millrace-streams/millrace/store/internal/arena"
)

const (
	unit       = 8        // cells begin at multiples of it, bytes
	segShift   = 17       // a Ref is segment<<segShift | offset/unit
	maxSegment = 1 << 20  // bytes of a large table's segments: segment offsets fit; longer cells have one of their own
	minSegment = 16 << 10 // bytes of a small table's segments

	// MaxKey is the longest key, bytes.
	MaxKey = 1<<24 - 1
)

// A Ref is where an entry is; 0 is nowhere.
type Ref uint32

// Flags of an entry.
const (
	deleted = 1 << iota // there is no such row
	used                // used since it was read from disk, and since its segment was last looked at
	fresh               // read from disk and not used again
	ordered             // in its part's order
	loaded              // in Table.loads
	dead                // not an entry any more: it moved, or was evicted
)

// header begins a cell. Key and value follow it.
type header struct {
	epoch uint32 // transaction that wrote it last; 0: read from disk
	size  uint32 // of the cell, bytes, a multiple of unit; size - headerLen - klen is the room for the value
	vlen  uint32 // <= room
	kf    uint32 // length of the key << 8 | flags
	list  uint32 // place in Table.dirty if epoch is the open one, in Table.loads if loaded
}

const headerLen = 20

func (h *header) klen() uint32 { return h.kf >> 8 }
func (h *header) live() bool   { return h.kf&deleted == 0 }

// use notes that the row was read. Only a row used again after it was read from disk gets a second chance.
func (h *header) use() {
	if h.kf&fresh != 0 {
		h.kf &^= fresh
	} else {
		h.kf |= used
	}
}

// A Table holds the entries of one task. It belongs to one goroutine.
type Table struct {
	seed  maphash.Seed
	index [256]slots // by the top byte of the hash, so that growing is never long
	n     int        // entries
	last  Ref        // of the last look-up, for a Set after a Get; 0 after anything that moves or forgets entries

	segs  [][]byte // by number; segs[0] is nil, and so are those given back
	fills []uint32 // bytes used of each segment
	order []uint32 // numbers of the segments there are, oldest first; the last is being filled
	spare []uint32 // numbers to use again
	again []byte   // a segment to use again
	lost  bool     // an entry was evicted that says what disk has
	near  uint32   // keeps the compiler from leaving the reads of nearby out
	bytes int64    // of segments and index

	epoch   uint32 // of the open transaction; durable < epoch
	durable uint32 // disk has every entry up to this epoch

	orders uint64 // made so far
	parts  []part
	places []int32 // by prefix as a number: of the part in parts, -1 for none
	dirty  []touch // entries of the open transaction, each once, in order of the first write
	loads  []Ref   // entries written by Load since the last Settle; none while a transaction is open
	undo   []image // former values, oldest first
	images []byte  // their bytes
	mark   int     // length of undo at the last savepoint, -1 without one: writes after it are noted again
	grown  int64   // bytes of keys and values of dirty
}

// A part is the entries of one store.
type part struct {
	dirty []uint32 // places in Table.dirty, in that order
	order *order   // of entries that disk may lack; nil: nobody scans the part
}

// slots is an open hash table with linear probing: tag<<32 | Ref, 0 is empty. Its length is a power of two.
type slots struct {
	s []uint64
	n int // n <= 4/5 of len(s)
}

// PrefixLen is the length of the prefix that the keys of a part begin with, bytes.
const PrefixLen = 2

// New returns a table for stores with the given prefixes, which are its parts, in that order.
func New(prefixes ...[PrefixLen]byte) *Table {
	t := &Table{seed: maphash.MakeSeed(), segs: [][]byte{nil}, fills: []uint32{0}, epoch: 1, mark: -1, parts: make([]part, len(prefixes))}
	for i, p := range prefixes {
		n := int(binary.BigEndian.Uint16(p[:]))
		for len(t.places) <= n {
			t.places = append(t.places, -1)
		}
		t.places[n] = int32(i)
	}
	return t
}

// Part returns the part a key belongs to, -1 if it begins with no store's prefix.
func (t *Table) Part(key []byte) int {
	if len(key) >= PrefixLen {
		if n := int(binary.BigEndian.Uint16(key)); n < len(t.places) {
			return int(t.places[n])
		}
	}
	return -1
}

// Bytes returns the memory of cells, index and the segment kept to be used again.
func (t *Table) Bytes() int64 { return t.bytes + int64(len(t.again)) }

// Lost reports whether an entry of a row that disk has was ever evicted. As long as none was, a table that began with an
// empty disk has an entry of every row there is, and a miss means that there is none.
func (t *Table) Lost() bool { return t.lost }

// Len returns the number of entries.
func (t *Table) Len() int { return t.n }

// Durable returns the epoch up to which disk has everything, Open that of the open transaction.
func (t *Table) Durable() uint32 { return t.durable }

// Open returns the epoch of the open transaction.
func (t *Table) Open() uint32 { return t.epoch }

func (t *Table) cell(r Ref) unsafe.Pointer {
	return unsafe.Pointer(&t.segs[r>>segShift][(r&(1<<segShift-1))*unit])
}

func (t *Table) at(r Ref) *header { return (*header)(t.cell(r)) }

// Key returns the key of an entry.
func (t *Table) Key(r Ref) []byte {
	p := t.cell(r)
	return unsafe.Slice((*byte)(unsafe.Add(p, headerLen)), (*header)(p).klen())
}

// Value returns the value of an entry, and whether there is such a row.
func (t *Table) Value(r Ref) ([]byte, bool) {
	p := t.cell(r)
	h := (*header)(p)
	return unsafe.Slice((*byte)(unsafe.Add(p, headerLen+h.klen())), h.vlen), h.live()
}

// Use is Value for a read that counts as one: the row gets a second chance before it is evicted.
func (t *Table) Use(r Ref) ([]byte, bool) {
	t.at(r).use()
	return t.Value(r)
}

// Find returns the entry of a key, 0 if there is none: only disk can tell.
func (t *Table) Find(key []byte) Ref {
	if t.last != 0 && string(t.Key(t.last)) == string(key) {
		return t.last
	}
	return t.find(key, maphash.Bytes(t.seed, key))
}

func (t *Table) find(key []byte, h uint64) Ref {
	s := t.index[h>>56].s
	if len(s) == 0 {
		return 0
	}
	mask := uint32(len(s) - 1)
	tag := uint32(h)
	for i := tag & mask; s[i] != 0; i = (i + 1) & mask {
		if uint32(s[i]>>32) == tag {
			if r := Ref(s[i]); string(t.Key(r)) == string(key) {
				t.last = r
				return r
			}
		}
	}
	return 0
}

// Fill enters what disk has for a key that has no entry: a value, or no row.
func (t *Table) Fill(key, value []byte, live bool) Ref { return t.FillFor(key, value, live, 0) }

// FillFor is Fill for an entry about to be written, with room for a value of n bytes.
func (t *Table) FillFor(key, value []byte, live bool, n int) Ref {
	r := t.insert(key, max(len(value), n), live)
	t.at(r).kf |= fresh
	t.put(r, value)
	return r
}

// insert adds a clean entry with room for a value, and none in it.
func (t *Table) insert(key []byte, room int, live bool) Ref {
	return t.insertHashed(key, maphash.Bytes(t.seed, key), room, live)
}

func (t *Table) insertHashed(key []byte, hash uint64, room int, live bool) Ref {
	r := t.allot(len(key), room)
	h := t.at(r)
	h.epoch, h.vlen, h.list, h.kf = 0, 0, 0, uint32(len(key))<<8
	if !live {
		h.kf |= deleted
	}
	copy(t.Key(r), key)
	t.link(hash, r)
	t.n++
	t.last = r
	return r
}

// put writes a value that there is room for.
func (t *Table) put(r Ref, value []byte) {
	p := t.cell(r)
	h := (*header)(p)
	h.vlen = uint32(len(value))
	copy(unsafe.Slice((*byte)(unsafe.Add(p, headerLen+h.klen())), len(value)), value)
}

// fit returns the entry with room for a value of n bytes: it may have moved.
func (t *Table) fit(r Ref, n int) Ref {
	h := t.at(r)
	if uint32(n) <= h.size-headerLen-h.klen() {
		return r
	}
	to := t.allot(int(h.klen()), n+n/2)
	t.move(r, to)
	return to
}

// move makes the cell at to the entry that was at r.
func (t *Table) move(r, to Ref) {
	h, g := t.at(r), t.at(to)
	g.epoch, g.vlen, g.kf, g.list = h.epoch, h.vlen, h.kf, h.list
	copy(t.Key(to), t.Key(r))
	value, _ := t.Value(r)
	t.put(to, value)
	t.relink(maphash.Bytes(t.seed, t.Key(to)), r, to)
	switch {
	case h.kf&loaded != 0:
		t.loads[h.list] = to
	case h.epoch == t.epoch:
		t.dirty[h.list].ref = to
	}
	if h.kf&ordered != 0 {
		t.parts[t.Part(t.Key(to))].order.moved(t, r, to)
	}
	h.kf |= dead
	t.last = 0
}

// allot takes a cell from the newest segment. Only its size is set.
func (t *Table) allot(klen, room int) Ref {
	size := (headerLen + klen + room + unit - 1) &^ (unit - 1)
	if len(t.order) == 0 || int(t.fills[t.order[len(t.order)-1]])+size > len(t.segs[t.order[len(t.order)-1]]) {
		t.segment(size)
	}
	seg := t.order[len(t.order)-1]
	r := Ref(seg<<segShift | t.fills[seg]/unit)
	t.fills[seg] += uint32(size)
	t.at(r).size = uint32(size)
	return r
}

// segment begins a segment with room for a cell of the given size. Segments grow with the table, so that a small one
// stays small.
func (t *Table) segment(size int) {
	want := max(size, min(max(1<<bits.Len(uint(t.bytes/32)), minSegment), maxSegment))
	b := t.again
	if len(b) >= size && len(b) <= max(want, maxSegment) {
		t.again = nil
	} else {
		b = arena.Alloc(want)
		b = b[:cap(b)] // blocks come in powers of two: what is paid for is used, and counted
	}
	i := uint32(len(t.segs))
	if n := len(t.spare); n > 0 {
		i, t.spare = t.spare[n-1], t.spare[:n-1]
		t.segs[i], t.fills[i] = b, 0
	} else {
		t.segs, t.fills = append(t.segs, b), append(t.fills, 0)
	}
	t.order = append(t.order, i)
	t.bytes += int64(len(b))
}

// forget removes an entry.
func (t *Table) forget(r Ref) {
	h := t.at(r)
	t.unlink(maphash.Bytes(t.seed, t.Key(r)), r)
	h.kf |= dead
	t.n--
	t.last = 0
}

// Close gives the memory back.
func (t *Table) Close() {
	for _, i := range t.order {
		arena.Free(t.segs[i])
	}
	if t.again != nil {
		arena.Free(t.again)
	}
	for i := range t.index {
		if s := t.index[i].s; s != nil {
			freeSlots(s)
		}
	}
	*t = Table{seed: t.seed, segs: [][]byte{nil}, fills: []uint32{0}, epoch: t.epoch, durable: t.durable, mark: -1, parts: make([]part, len(t.parts)), places: t.places}
}
