package overlay

import (
	"encoding/binary"
	"hash/maphash"
)

const (
	chunkBits = 9 // entries are allotted in chunks of 1 << chunkBits, 16 KiB
	chunkSize = 1 << chunkBits

	minSegment = 16 << 10 // bytes of a small table's segments
	maxSegment = 1 << 20  // bytes of a large table's segments; longer rows have a segment of their own
	cellHeader = 8        // id u32, size u32
)

// none is the segment of an entry that is free.
const none = ^uint32(0)

// Flags of an entry.
const (
	deleted = 1 << iota // there is no such row
	used                // used since it was read from the base and since its segment was last looked at
	fresh               // read from the base and not used again
	listed              // in its part's list of rows that the base may lack
	loaded              // by Load, and not yet among the held rows
)

// An entry is what the table knows of one key. Its bytes are a cell in a segment: header, key, room for the value.
type entry struct {
	epoch    uint64 // transaction that wrote it last; 0: read from the base
	seg, off uint32 // the cell; the cell's size - header - klen is the room for the value
	klen     uint32
	vlen     uint32 // vlen <= room
	save     uint32 // savepoint, within the transaction, since which its former value is in the undo log
	flags    uint32
}

func (e *entry) live() bool { return e.flags&deleted == 0 }

// use notes that the row was read. Only a row used again after it was read from the base gets a second chance.
func (e *entry) use() {
	if e.flags&fresh != 0 {
		e.flags &^= fresh
	} else {
		e.flags |= used
	}
}

// A table finds entries by key. Ids of entries are stable until they are forgotten; id 0 is none. It stores, and knows
// nothing of transactions: DB does. Memory is taken from the Go heap, free of pointers.
type table struct {
	seed    maphash.Seed
	index   [256]slots // by the top byte of the hash, so that growing is never long
	chunks  [][]entry  // id → chunks[id>>chunkBits][id%chunkSize]
	next    uint32     // lowest id never used
	free    []uint32   // ids to use again
	n       int        // entries
	last    uint32     // id of the last look-up, for a Set after a Get
	segs    [][]byte   // nil: free to use again
	spare   []uint32   // indexes of segs that are nil
	order   []uint32   // segments, oldest first; the last is being filled
	fill    int        // bytes used of the last segment
	recycle []byte     // a segment to use again
	bytes   int64      // memory of segments, entries and index
}

// slots is an open hash table with linear probing: tag<<32 | id, 0 is empty. Its length is a power of two.
type slots struct {
	s []uint64
	n int // n <= 4/5 of len(s)
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), next: 1}
}

func (t *table) at(id uint32) *entry { return &t.chunks[id>>chunkBits][id&(chunkSize-1)] }

func (t *table) key(e *entry) []byte {
	o := e.off + cellHeader
	return t.segs[e.seg][o : o+e.klen : o+e.klen]
}

func (t *table) value(e *entry) []byte {
	o := e.off + cellHeader + e.klen
	return t.segs[e.seg][o : o+e.vlen : o+e.vlen]
}

// find returns the id of a key's entry, 0 if there is none.
func (t *table) find(key []byte) uint32 {
	if t.last != 0 && string(t.key(t.at(t.last))) == string(key) {
		return t.last
	}
	h := maphash.Bytes(t.seed, key)
	s := t.index[h>>56].s
	if len(s) == 0 {
		return 0
	}
	mask := uint32(len(s) - 1)
	tag := uint32(h)
	for i := tag & mask; s[i] != 0; i = (i + 1) & mask {
		if uint32(s[i]>>32) == tag {
			id := uint32(s[i])
			if string(t.key(t.at(id))) == string(key) {
				t.last = id
				return id
			}
		}
	}
	return 0
}

// insert adds an entry for a key that has none.
func (t *table) insert(key, value []byte, live bool, epoch uint64) uint32 {
	var id uint32
	if n := len(t.free); n > 0 {
		id, t.free = t.free[n-1], t.free[:n-1]
	} else {
		id = t.next
		t.next++
		if int(id>>chunkBits) == len(t.chunks) {
			t.chunks = append(t.chunks, make([]entry, chunkSize))
			t.bytes += chunkSize * 32
		}
	}
	e := t.at(id)
	*e = entry{epoch: epoch, klen: uint32(len(key)), vlen: uint32(len(value))}
	if !live {
		e.flags = deleted
	}
	t.allot(id, e, len(value))
	copy(t.key(e), key)
	copy(t.value(e), value)
	t.link(maphash.Bytes(t.seed, key), id)
	t.n++
	t.last = id
	return id
}

// set changes the value of an entry, in place if there is room.
func (t *table) set(id uint32, value []byte) {
	e := t.at(id)
	size := binary.LittleEndian.Uint32(t.segs[e.seg][e.off+4:])
	if uint32(len(value)) > size-cellHeader-e.klen {
		key := t.key(e) // in the old cell, which stays as it is
		t.allot(id, e, len(value)+len(value)/2)
		copy(t.segs[e.seg][e.off+cellHeader:], key)
	}
	e.vlen = uint32(len(value))
	copy(t.value(e), value)
}

// forget removes an entry.
func (t *table) forget(id uint32) {
	e := t.at(id)
	t.unlink(maphash.Bytes(t.seed, t.key(e)), id)
	*e = entry{seg: none}
	t.free = append(t.free, id)
	t.n--
	t.last = 0
}

// allot gives an entry a cell with room for a value, and nothing in it.
func (t *table) allot(id uint32, e *entry, room int) {
	size := (cellHeader + int(e.klen) + room + 7) &^ 7
	if len(t.order) == 0 || t.fill+size > len(t.segs[t.order[len(t.order)-1]]) {
		t.segment(size)
	}
	seg := t.order[len(t.order)-1]
	e.seg, e.off = seg, uint32(t.fill)
	t.fill += size
	cell := t.segs[seg][e.off:]
	binary.LittleEndian.PutUint32(cell, id)
	binary.LittleEndian.PutUint32(cell[4:], uint32(size))
}

// segment begins a segment with room for a cell of the given size. Segments grow with the table, so that a small one
// stays small.
func (t *table) segment(size int) {
	want := max(size, min(max(int(t.bytes/16), minSegment), maxSegment))
	b := t.recycle
	if len(b) >= size && len(b) <= max(want, maxSegment) {
		t.recycle = nil
		clear(b)
	} else {
		b = make([]byte, want)
	}
	i := uint32(len(t.segs))
	if n := len(t.spare); n > 0 {
		i, t.spare = t.spare[n-1], t.spare[:n-1]
		t.segs[i] = b
	} else {
		t.segs = append(t.segs, b)
	}
	t.order = append(t.order, i)
	t.fill = 0
	t.bytes += int64(len(b))
}

func (t *table) link(h uint64, id uint32) {
	x := &t.index[h>>56]
	if (x.n+1)*5 > len(x.s)*4 {
		old := x.s
		x.s = make([]uint64, max(8, 2*len(old)))
		t.bytes += int64(len(x.s)-len(old)) * 8
		for _, w := range old {
			if w != 0 {
				x.put(w)
			}
		}
	}
	x.put(uint64(uint32(h))<<32 | uint64(id))
	x.n++
}

func (x *slots) put(w uint64) {
	mask := uint32(len(x.s) - 1)
	i := uint32(w>>32) & mask
	for x.s[i] != 0 {
		i = (i + 1) & mask
	}
	x.s[i] = w
}

// unlink takes an id out of the index and closes the gap, so that probing needs no grave stones.
func (t *table) unlink(h uint64, id uint32) {
	x := &t.index[h>>56]
	s := x.s
	mask := uint32(len(s) - 1)
	w := uint64(uint32(h))<<32 | uint64(id)
	i := uint32(h) & mask
	for s[i] != w {
		if s[i] == 0 {
			panic("overlay: an entry is not in the index")
		}
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; s[j] != 0; j = (j + 1) & mask {
		if home := uint32(s[j]>>32) & mask; (j-home)&mask >= (j-i)&mask {
			s[i] = s[j]
			i = j
		}
	}
	s[i] = 0
	x.n--
}

// evict frees memory until at most limit bytes are held, oldest segments first. Listed rows stay, rows that were used get
// a second chance; both move to the newest segment. It walks over each segment at most twice.
//
// Slices of keys and values handed out before are no longer valid.
func (t *table) evict(limit int64) {
	for budget := 2 * len(t.order); t.bytes > limit && len(t.order) > 2 && budget > 0; budget-- {
		seg := t.order[0]
		t.order = append(t.order[:0], t.order[1:]...)
		t.sweep(seg)
		b := t.segs[seg]
		t.segs[seg] = nil
		t.spare = append(t.spare, seg)
		t.bytes -= int64(len(b))
		if len(b) <= maxSegment && len(b) > len(t.recycle) {
			t.recycle = b
		}
	}
}

// sweep empties a segment that is no longer in order.
func (t *table) sweep(seg uint32) {
	b := t.segs[seg]
	for off := uint32(0); int(off)+cellHeader <= len(b); {
		id := binary.LittleEndian.Uint32(b[off:])
		size := binary.LittleEndian.Uint32(b[off+4:])
		if size == 0 {
			break // the unused end
		}
		if e := t.at(id); e.seg == seg && e.off == off {
			if e.flags&(listed|used) != 0 {
				e.flags &^= used
				t.allot(id, e, int(size)-cellHeader-int(e.klen))
				copy(t.segs[e.seg][e.off+cellHeader:], b[off+cellHeader:off+size])
			} else {
				t.forget(id)
			}
		}
		off += size
	}
}
