package overlay

import (
	"encoding/binary"
	"math/bits"

	"github.com/millrace-streams/millrace/store/internal/arena"
)

// A buffer collects rows outside the Go heap: half of the memory that waits would otherwise be counted twice, by us and by the
// collector's pace.
type buffer struct {
	b     []byte // len is its room
	n     int    // bytes
	count int    // rows
}

func (b *buffer) len() int { return b.n }

// size returns what it takes to sort and write the rows: their bytes, and a reference to each.
func (b *buffer) size() int { return b.n + refLen*b.count }

const refLen = 16

// rows returns what is in it, good until the next change.
func (b *buffer) rows() Rows { return Rows(b.b[:b.n:b.n]) }

// add appends a row.
func (b *buffer) add(key, value []byte, has bool) {
	if need := b.n + 2*binary.MaxVarintLen32 + len(key) + len(value); need > len(b.b) {
		b.grow(need)
	}
	b.n = len(appendRow(b.b[:b.n], key, value, has))
	b.count++
}

func (b *buffer) grow(need int) {
	n := 1 << bits.Len(uint(max(need, 4<<10)-1))
	if need > 1<<20 { // from here on blocks may have any length
		n = need + need/4
	}
	to := arena.Alloc(n)
	copy(to, b.b[:b.n])
	b.free0()
	b.b = to
}

func (b *buffer) free0() {
	if b.b != nil {
		arena.Free(b.b)
	}
}

// reset empties it. Memory of an unusually large batch is given back.
func (b *buffer) reset() {
	if len(b.b) > 1<<16 && b.n < len(b.b)/16 {
		b.free()
	}
	b.n, b.count = 0, 0
}

// trim empties it, and gives memory back that is more than limit bytes.
func (b *buffer) trim(limit int) {
	b.n, b.count = 0, 0
	if len(b.b) > limit {
		b.free()
	}
}

// free gives the memory back.
func (b *buffer) free() {
	b.free0()
	*b = buffer{}
}
