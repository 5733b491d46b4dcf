package table

import (
	"unsafe"

	"github.com/millrace-streams/millrace/store/internal/arena"
)

func (t *Table) link(h uint64, r Ref) {
	x := &t.index[h>>56]
	if (x.n+1)*5 > len(x.s)*4 {
		old := x.s
		x.s = newSlots(max(8, 2*len(old)))
		t.bytes += int64(len(x.s)-len(old)) * 8
		for _, w := range old {
			if w != 0 {
				x.put(w)
			}
		}
		if old != nil {
			freeSlots(old)
		}
	}
	x.put(uint64(uint32(h))<<32 | uint64(r))
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

// slot returns the place of an entry's slot.
func (x *slots) slot(h uint64, r Ref) uint32 {
	mask := uint32(len(x.s) - 1)
	w := uint64(uint32(h))<<32 | uint64(r)
	i := uint32(h) & mask
	for x.s[i] != w {
		if x.s[i] == 0 {
			panic("table: an entry is not in the index")
		}
		i = (i + 1) & mask
	}
	return i
}

func (t *Table) relink(h uint64, from, to Ref) {
	x := &t.index[h>>56]
	x.s[x.slot(h, from)] = uint64(uint32(h))<<32 | uint64(to)
}

// unlink takes an entry out of the index and closes the gap, so that probing needs no grave stones.
func (t *Table) unlink(h uint64, r Ref) {
	x := &t.index[h>>56]
	s := x.s
	mask := uint32(len(s) - 1)
	i := x.slot(h, r)
	for j := (i + 1) & mask; s[j] != 0; j = (j + 1) & mask {
		if home := uint32(s[j]>>32) & mask; (j-home)&mask >= (j-i)&mask {
			s[i] = s[j]
			i = j
		}
	}
	s[i] = 0
	x.n--
}

// newSlots returns n empty slots.
func newSlots(n int) []uint64 {
	b := arena.Alloc(n * 8)
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

func freeSlots(s []uint64) {
	n := len(s) * 8
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), n)
	arena.Free(b)
}
