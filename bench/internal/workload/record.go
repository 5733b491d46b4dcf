package workload

import (
	"encoding/binary"
	"fmt"
)

const (
	// KeyBytes is the length of a key; that of a windowed key is longer, and begins with the key.
	KeyBytes   = 8
	valueBytes = 100

	// Partitions is the number of partitions of every topic of the benchmarks.
	Partitions = 4

	// markEvery is how often an input record carries a header, which engines have to forward.
	markEvery = 1 << 12
)

// Salts keep the sequences of keys, stream values and table values apart.
const (
	saltChoice uint64 = 0x6d696c6c_00000001
	saltKey    uint64 = 0x6d696c6c_00000002
	saltValue  uint64 = 0x6d696c6c_00000003
	saltRow    uint64 = 0x6d696c6c_00000004
	saltMate   uint64 = 0x6d696c6c_00000005
)

// A Record is one record of an input or output topic.
type Record struct {
	Partition  int32 // outputs only: inputs are placed by the hash of their key
	Key, Value []byte
	Time       int64 // milliseconds since the epoch
	Marked     bool  // it carries the header MarkHeader
}

// MarkHeader is the key of the header that marked records carry; its value is empty.
const MarkHeader = "mark"

// mix scrambles a number; unmix is its inverse. It is the finalizer of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func unmix(z uint64) uint64 {
	z = (z ^ z>>31 ^ z>>62) * 0x319642b2d24d8ec3
	z = (z ^ z>>27 ^ z>>54) * 0x96de1b173f119089
	return z ^ z>>30 ^ z>>60
}

// appendKey appends the key with the given number.
func appendKey(dst []byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(dst, mix(id+saltKey))
}

// keyID returns the number of a key. Keys of other programs give numbers at random.
func keyID(key []byte) uint64 { return unmix(binary.BigEndian.Uint64(key)) - saltKey }

// appendValue appends 100 bytes that look random: the scrambled number i, and what follows from it.
func appendValue(dst []byte, salt, i uint64) []byte { return appendBytes(dst, salt, i, valueBytes) }

// appendBytes is appendValue for n bytes, 8 or more and a multiple of 4.
func appendBytes(dst []byte, salt, i uint64, n int) []byte {
	x := mix(i + salt)
	dst = binary.BigEndian.AppendUint64(dst, x)
	for range n/8 - 1 {
		x = mix(x + 0x9e3779b97f4a7c15)
		dst = binary.BigEndian.AppendUint64(dst, x)
	}
	if n%8 == 0 {
		return dst
	}
	x = mix(x + 0x9e3779b97f4a7c15)
	return binary.BigEndian.AppendUint32(dst, uint32(x))
}

// valueID returns the number a value was made of.
func valueID(v []byte, salt uint64) uint64 { return unmix(binary.BigEndian.Uint64(v)) - salt }

// choose draws one of n keys, uniformly, for record i.
func choose(i, n uint64) uint64 { return mix(i+saltChoice) % n }

func marked(i int64) bool { return i%markEvery == 0 }

// marks returns how many of n records are marked.
func marks(n int64) int64 { return (n + markEvery - 1) / markEvery }

// sized refuses an output whose key or value has the wrong length.
func sized(r *Record, key, value int) error {
	if len(r.Key) != key || len(r.Value) != value {
		return fmt.Errorf("partition %d: key %x has %d bytes, value %d: want %d and %d",
			r.Partition, r.Key, len(r.Key), len(r.Value), key, value)
	}
	return nil
}
