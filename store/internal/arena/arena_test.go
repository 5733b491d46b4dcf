package arena

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestBlocksAreZeroAndApart(t *testing.T) {
	before := Held()
	rng := rand.New(rand.NewPCG(1, 2))
	type block struct {
		b    []byte
		mark byte
	}
	var held []block
	for i := range 2000 {
		if len(held) > 40 || len(held) > 0 && rng.IntN(3) == 0 {
			j := rng.IntN(len(held))
			b := held[j]
			for _, at := range []int{0, len(b.b) / 2, len(b.b) - 1} {
				if b.b[at] != b.mark {
					t.Fatalf("byte %d of a block of %d changed under its owner", at, len(b.b))
				}
			}
			Free(b.b)
			held[j] = held[len(held)-1]
			held = held[:len(held)-1]
			continue
		}
		n := 1 + rng.IntN(64<<10)
		if rng.IntN(3) == 0 {
			n = 1 + rng.IntN(3<<20)
		}
		b := Alloc(n)
		if len(b) != n {
			t.Fatalf("got %d bytes, asked for %d", len(b), n)
		}
		for j, c := range b {
			if c != 0 {
				t.Fatalf("byte %d of a new block of %d is %d", j, n, c)
			}
		}
		mark := byte(1 + i%200)
		for j := range b {
			b[j] = mark
		}
		held = append(held, block{b, mark})
	}
	for _, b := range held {
		Free(b.b)
	}
	if got := Held(); got != before {
		t.Errorf("%d bytes are held after all was freed, %d before", got, before)
	}
}

func TestBlocksAreAlignedForNumbers(t *testing.T) {
	for _, n := range []int{64 << 10, 100 << 10, 1 << 20, 3 << 20} {
		b := Alloc(n)
		if p := uintptr(unsafe.Pointer(&b[0])); p%8 != 0 {
			t.Errorf("a block of %d bytes begins at %x", n, p)
		}
		Free(b)
	}
}
