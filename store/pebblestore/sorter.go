package pebblestore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/millrace-streams/millrace/store/internal/arena"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// A sorter puts rows in key order.
type sorter struct {
	block []byte // memory of refs, outside the Go heap
	refs  []ref
}

// ref is a row: the first bytes of its key, and where it is.
type ref struct {
	head   uint64 // the eight bytes after the prefix
	off    uint32
	prefix uint16
}

const refLen = 16

// sort returns references to the rows in key order, the last of each key. They are valid until the next call.
func (s *sorter) sort(rows overlay.Rows, count int) []ref {
	s.room(count)
	refs := s.refs[:0]
	for rest := rows; len(rest) > 0; {
		off := len(rows) - len(rest)
		var key []byte
		key, _, _, rest = rest.Next()
		refs = append(refs, ref{head(key[overlay.PrefixLen:]), uint32(off), binary.BigEndian.Uint16(key)})
	}
	for from := 0; from < len(refs); {
		to := byPrefix(refs[from:]) + from
		byHead(refs[from:to], rows)
		from = to
	}
	s.refs = refs
	return slices.CompactFunc(refs, func(a, b ref) bool {
		return a.head == b.head && a.prefix == b.prefix && bytes.Equal(keyAt(rows, a), keyAt(rows, b))
	})
}

// room makes room for n references.
func (s *sorter) room(n int) {
	if n <= cap(s.refs) && (cap(s.refs) <= 1<<12 || n >= cap(s.refs)/16) {
		return
	}
	s.free()
	n = max(n, 1<<8)
	s.block = arena.Alloc(n * refLen)
	s.refs = unsafe.Slice((*ref)(unsafe.Pointer(unsafe.SliceData(s.block))), n)[:0]
}

func (s *sorter) free() {
	if s.block != nil {
		arena.Free(s.block)
	}
	*s = sorter{}
}

// byPrefix brings the references with the lowest prefix to the front, and returns how many they are. A task has few
// stores.
func byPrefix(refs []ref) int {
	lowest, all := refs[0].prefix, true
	for i := range refs {
		if p := refs[i].prefix; p != lowest {
			lowest, all = min(p, lowest), false
		}
	}
	if all {
		return len(refs)
	}
	n := 0
	for i := range refs {
		if refs[i].prefix == lowest {
			refs[n], refs[i] = refs[i], refs[n]
			n++
		}
	}
	return n
}

const (
	bucketBits = 10
	fewRefs    = 1 << 9 // sorted by comparing
)

// byHead sorts the references of one store: those of many by the highest bits in which their heads differ, in place (American
// flag sort), and what falls together by comparing.
func byHead(refs []ref, rows overlay.Rows) {
	if len(refs) <= fewRefs {
		compare(refs, rows)
		return
	}
	var differ uint64
	for i := range refs {
		differ |= refs[i].head ^ refs[0].head
	}
	if differ == 0 {
		compare(refs, rows)
		return
	}
	shift := max(0, bits.Len64(differ)-bucketBits)
	bucket := func(r *ref) int { return int(r.head>>shift) & (1<<bucketBits - 1) }
	var ends, next [1 << bucketBits]int
	for i := range refs {
		ends[bucket(&refs[i])]++
	}
	sum := 0
	for b := range ends {
		next[b] = sum
		sum += ends[b]
		ends[b] = sum
	}
	for b := range ends {
		for next[b] < ends[b] {
			to := bucket(&refs[next[b]])
			if to != b {
				refs[next[b]], refs[next[to]] = refs[next[to]], refs[next[b]]
			}
			next[to]++
		}
	}
	from := 0
	for _, end := range ends {
		if end-from > 1 {
			byHead(refs[from:end], rows)
		}
		from = end
	}
}

func compare(refs []ref, rows overlay.Rows) {
	slices.SortFunc(refs, func(a, b ref) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if c := bytes.Compare(keyAt(rows, a), keyAt(rows, b)); c != 0 {
			return c
		}
		return cmp.Compare(b.off, a.off) // the last one first
	})
}

func keyAt(rows overlay.Rows, r ref) []byte {
	key, _, _, _ := rows[r.off:].Next()
	return key
}

// head returns the first eight bytes of a key as a number that sorts as they do.
func head(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}
