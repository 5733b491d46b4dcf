package partition

// Of returns the partition, of n, of a record with this key: murmur2 with the sign bit masked, modulo n. n must be positive.
func Of(key []byte, n int32) int32 { return int32(Murmur2(key)&0x7fffffff) % n }

// Murmur2 is the hash of org.apache.kafka.common.utils.Utils.murmur2: 32 bits, seed 0x9747b28c, little-endian words.
func Murmur2(b []byte) uint32 {
	const (
		m = 0x5bd1e995
		r = 24
	)
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h *= m
		h ^= k
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(b[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return h
}
