package serde

import (
	"encoding/binary"
	"fmt"
	"math"
)

type int16Serde struct{}

func (int16Serde) Append(dst []byte, v int16) ([]byte, error) {
	return binary.BigEndian.AppendUint16(dst, uint16(v)), nil
}

func (int16Serde) Decode(src []byte) (int16, error) {
	if len(src) != 2 {
		return 0, size("int16", 2, src)
	}
	return int16(binary.BigEndian.Uint16(src)), nil
}

type int32Serde struct{}

func (int32Serde) Append(dst []byte, v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}

func (int32Serde) Decode(src []byte) (int32, error) {
	if len(src) != 4 {
		return 0, size("int32", 4, src)
	}
	return int32(binary.BigEndian.Uint32(src)), nil
}

type int64Serde struct{}

func (int64Serde) Append(dst []byte, v int64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

func (int64Serde) Decode(src []byte) (int64, error) {
	if len(src) != 8 {
		return 0, size("int64", 8, src)
	}
	return int64(binary.BigEndian.Uint64(src)), nil
}

type float32Serde struct{}

func (float32Serde) Append(dst []byte, v float32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v)), nil
}

func (float32Serde) Decode(src []byte) (float32, error) {
	if len(src) != 4 {
		return 0, size("float32", 4, src)
	}
	return math.Float32frombits(binary.BigEndian.Uint32(src)), nil
}

type float64Serde struct{}

// javaNaN is what Java writes for every NaN. Go's own, math.NaN(), ends in 1: as a key it would be another key.
const javaNaN = 0x7ff8000000000000

func (float64Serde) Append(dst []byte, v float64) ([]byte, error) {
	bits := math.Float64bits(v)
	if v != v {
		bits = javaNaN
	}
	return binary.BigEndian.AppendUint64(dst, bits), nil
}

func (float64Serde) Decode(src []byte) (float64, error) {
	if len(src) != 8 {
		return 0, size("float64", 8, src)
	}
	return math.Float64frombits(binary.BigEndian.Uint64(src)), nil
}

type boolSerde struct{}

func (boolSerde) Append(dst []byte, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

func (boolSerde) Decode(src []byte) (bool, error) {
	if len(src) != 1 {
		return false, size("bool", 1, src)
	}
	if src[0] > 1 {
		return false, fmt.Errorf("serde: bool wants byte 0 or 1, got %d", src[0])
	}
	return src[0] == 1, nil
}
