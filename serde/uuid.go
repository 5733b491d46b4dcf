package serde

import (
	"encoding/hex"
	"fmt"
)

type uuidSerde struct{}

// uuidText is the length of a UUID as text, uuidDashes where its dashes stand.
const uuidText = 36

var uuidDashes = [...]int{8, 13, 18, 23}

func (uuidSerde) Append(dst []byte, v [16]byte) ([]byte, error) {
	dst = hex.AppendEncode(dst, v[:4])
	for i := 4; i < 10; i += 2 {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, v[i:i+2])
	}
	dst = append(dst, '-')
	return hex.AppendEncode(dst, v[10:]), nil
}

func (uuidSerde) Decode(src []byte) (v [16]byte, err error) {
	if len(src) != uuidText {
		return v, fmt.Errorf("serde: uuid wants %d characters, got %d bytes", uuidText, len(src))
	}
	for _, i := range uuidDashes {
		if src[i] != '-' {
			return v, fmt.Errorf("serde: uuid wants '-' as character %d, got %q", i+1, src[i])
		}
	}
	var digits [32]byte
	n := copy(digits[:], src[:8])
	n += copy(digits[n:], src[9:13])
	n += copy(digits[n:], src[14:18])
	n += copy(digits[n:], src[19:23])
	copy(digits[n:], src[24:])
	if _, err := hex.Decode(v[:], digits[:]); err != nil {
		return [16]byte{}, fmt.Errorf("serde: uuid wants hexadecimal digits, got %q", src)
	}
	return v, nil
}
