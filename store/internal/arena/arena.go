package arena

import (
	"math/bits"
	"sync"
	"unsafe"
)

const (
	minBlock  = 16 << 10 // below, a block is an ordinary slice
	maxBlock  = 1 << 20  // above, a block is mapped by itself
	slabSize  = 8 << 20
	slabAlign = 2 << 20 // of a large page
)

// blocks are powers of two between minBlock and maxBlock.
const classes = 7

// pool is the process's: memory freed by one table serves the next.
var pool struct {
	sync.Mutex
	free [classes][][]byte // of each size
	held int64             // bytes of blocks handed out, and of those mapped by themselves
}

// class returns which of the sizes a block of n bytes has.
func class(n int) int { return bits.Len(uint(n-1)) - bits.Len(minBlock-1) }

// Alloc returns a block of n zero bytes.
func Alloc(n int) []byte {
	if n < minBlock || !mappable {
		return make([]byte, n)
	}
	if n > maxBlock {
		b := mapped(n)
		account(int64(len(b)))
		return b[:n]
	}
	c := class(n)
	pool.Lock()
	defer pool.Unlock()
	b := take(c)
	pool.held += int64(len(b))
	return b[:n]
}

// take returns a zero block of a class, cut from a larger one if there is none. The pool is locked.
func take(c int) []byte {
	if n := len(pool.free[c]); n > 0 {
		b := pool.free[c][n-1]
		pool.free[c][n-1] = nil
		pool.free[c] = pool.free[c][:n-1]
		return b
	}
	if c == classes-1 {
		slab := aligned()
		for i := maxBlock; i < len(slab); i += maxBlock {
			pool.free[c] = append(pool.free[c], slab[i:i+maxBlock:i+maxBlock])
		}
		return slab[:maxBlock:maxBlock]
	}
	b := take(c + 1)
	half := len(b) / 2
	pool.free[c] = append(pool.free[c], b[half:])
	return b[:half:half]
}

// aligned maps a slab that begins at a multiple of slabAlign.
func aligned() []byte {
	b := mapped(slabSize + slabAlign)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (slabAlign - 1)
	b = b[skip : skip+slabSize : skip+slabSize]
	large(b)
	return b
}

// Free gives a block back. It must be as Alloc returned it, and not be used any more.
func Free(b []byte) {
	switch n := cap(b); {
	case len(b) < minBlock || !mappable:
	case n > maxBlock:
		b = b[:n]
		account(-int64(n))
		unmap(b)
	default:
		b = b[:n]
		discard(b) // zero again, and not the process's until it is used
		pool.Lock()
		defer pool.Unlock()
		pool.held -= int64(n)
		pool.free[class(n)] = append(pool.free[class(n)], b)
	}
}

// Held returns the bytes of all blocks handed out that the garbage collector does not count.
func Held() int64 {
	pool.Lock()
	defer pool.Unlock()
	return pool.held
}

func account(n int64) {
	pool.Lock()
	pool.held += n
	pool.Unlock()
}
