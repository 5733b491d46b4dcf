package wire

import (
	"encoding/binary"
	"math/bits"
)

// HashLen is the length of a Hash, bytes.
const HashLen = 16

// A Hash is the 128-bit Murmur3 of a row's bytes, by which an answer is known to be about the row as it is now.
type Hash [HashLen]byte

const (
	hashSeed = 104729
	mix1     = 0x87c37b91114253d5
	mix2     = 0x4cf5ad432745937f
)

// HashOf returns the hash of a value's bytes: Murmur3 x64 128, with the seed Kafka Streams uses.
func HashOf(b []byte) Hash {
	h1, h2 := uint64(hashSeed), uint64(hashSeed)
	n := uint64(len(b))
	for ; len(b) >= 16; b = b[16:] {
		h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b)*mix1, 31) * mix2
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b[8:])*mix2, 33) * mix1
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var rest [16]byte
	copy(rest[:], b)
	h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(rest[8:])*mix2, 33) * mix1 // of nothing: 0
	h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(rest[:])*mix1, 31) * mix2
	h1, h2 = h1^n, h2^n
	h1 += h2
	h2 += h1
	h1, h2 = finish(h1), finish(h2)
	h1 += h2
	h2 += h1
	var h Hash
	binary.BigEndian.PutUint64(h[:], h1)
	binary.BigEndian.PutUint64(h[8:], h2)
	return h
}

func finish(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
