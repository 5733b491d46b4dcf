package task

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A metadata is what stands beside a committed offset, in Kafka Streams' format: base64 (standard alphabet, padded) of
//
//	byte   version, 2
//	int64  partition time, ms; -1: none
//	       then nothing, or
//	int32  entries
//	       per entry: int32 length and bytes of a name, int64 value
//
// all big endian. Version 1 ends after the partition time. The entries are the progress of operators that emit when a
// window closes, under the names of their stores.
type metadata struct {
	time     int64
	progress map[string]int64
}

const metadataVersion = 2

// own reports whether the clock of a name is one that no other application knows.
func own(name string) bool { return strings.Contains(name, "/") }

// sealName is the name of the entry that says that the others were written with this very offset. Kafka Streams carries on entries that
// it does not know, and of several inputs the largest value: beside an offset that it has committed stands another's seal.
const sealName = "/"

// seal writes the seal of an offset into metadata that has room for one: without entries of our own there is nothing to seal.
func (m metadata) seal(tp TP, offset int64) metadata {
	if _, ok := m.progress[sealName]; ok {
		m.progress[sealName] = sealOf(tp, offset)
	}
	return m
}

// sealed reports whether the metadata was written with this offset, by us.
func (m metadata) sealed(tp TP, offset int64) bool {
	seal, ok := m.progress[sealName]
	return ok && seal == sealOf(tp, offset)
}

// sealOf is a number that two offsets hardly have in common, and never a negative one: FNV-1a of the topic's name, the partition and
// the offset, without the last bit.
func sealOf(tp TP, offset int64) int64 {
	const basis, prime = 14695981039346656037, 1099511628211
	h := uint64(basis)
	for i := range len(tp.Topic) {
		h = (h ^ uint64(tp.Topic[i])) * prime
	}
	for _, n := range [2]uint64{uint64(tp.Partition), uint64(offset)} {
		for range 8 {
			h = (h ^ n&0xff) * prime
			n >>= 8
		}
	}
	return int64(h >> 1)
}

// maxMetadata bounds what is decoded; brokers store 4,096 bytes by default.
const maxMetadata = 64 << 10

func (m metadata) encode() string {
	b := make([]byte, 0, 64)
	b = append(b, metadataVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(m.time))
	if len(m.progress) > 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(len(m.progress)))
		for _, name := range slices.Sorted(maps.Keys(m.progress)) {
			b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
			b = append(b, name...)
			b = binary.BigEndian.AppendUint64(b, uint64(m.progress[name]))
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

var errMetadataShort = errors.New("task: offset metadata ends early")

func decodeMetadata(s string) (metadata, error) {
	if len(s) > maxMetadata {
		return metadata{}, fmt.Errorf("task: offset metadata of %d bytes: want at most %d", len(s), maxMetadata)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return metadata{}, fmt.Errorf("task: offset metadata: %w", err)
	}
	if len(b) < 9 {
		return metadata{}, errMetadataShort
	}
	if b[0] != 1 && b[0] != metadataVersion {
		return metadata{}, fmt.Errorf("task: offset metadata of version %d: want at most %d", b[0], metadataVersion)
	}
	m := metadata{time: int64(binary.BigEndian.Uint64(b[1:]))}
	if m.time < -1 {
		return metadata{}, fmt.Errorf("task: offset metadata with partition time %d", m.time)
	}
	if b[0] == 1 || len(b) == 9 {
		return m, nil
	}
	m.progress, err = decodeProgress(b[9:])
	return m, err
}

func decodeProgress(b []byte) (map[string]int64, error) {
	if len(b) < 4 {
		return nil, errMetadataShort
	}
	n := int(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	if n < 0 || n > len(b)/12 { // an entry has 12 bytes and a name
		return nil, fmt.Errorf("task: offset metadata says it has %d entries, in %d bytes", n, len(b))
	}
	progress := make(map[string]int64, n)
	for range n {
		if len(b) < 12 {
			return nil, errMetadataShort
		}
		size := int(int32(binary.BigEndian.Uint32(b)))
		b = b[4:]
		if size < 0 || size > len(b)-8 {
			return nil, fmt.Errorf("task: offset metadata has a name of %d bytes, in %d", size, len(b))
		}
		progress[string(b[:size])] = int64(binary.BigEndian.Uint64(b[size:]))
		b = b[size+8:]
	}
	return progress, nil
}
