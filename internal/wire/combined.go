package wire

import (
	"encoding/binary"
	"errors"
)

// AppendForeign appends the prefix that all combined keys of a foreign key have: its length and itself. No prefix is the
// beginning of another.
func AppendForeign(dst, foreign []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(foreign))), foreign...)
}

// AppendCombined appends the key of a subscription: foreign key, then primary key.
func AppendCombined(dst, foreign, primary []byte) []byte {
	return append(AppendForeign(dst, foreign), primary...)
}

// Primary returns the primary key of a combined key, which refers to b.
func Primary(b []byte) ([]byte, error) {
	if len(b) < 4 || int64(binary.BigEndian.Uint32(b)) > int64(len(b)-4) {
		return nil, errors.New("not the key of a subscription: it is too short")
	}
	return b[4+binary.BigEndian.Uint32(b):], nil
}
