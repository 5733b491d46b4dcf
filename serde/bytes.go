package serde

import "fmt"

type stringSerde struct{}

func (stringSerde) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (stringSerde) Decode(src []byte) (string, error)           { return string(src), nil }

type bytesSerde struct{}

func (bytesSerde) Append(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }

// Decode cuts the capacity: an append by user code must not write into whatever follows in the fetch buffer.
func (bytesSerde) Decode(src []byte) ([]byte, error) { return src[:len(src):len(src)], nil }

type voidSerde struct{}

func (voidSerde) Append(dst []byte, _ struct{}) ([]byte, error) { return dst, nil }
func (voidSerde) IsNull(struct{}) bool                          { return true }

func (voidSerde) Decode(src []byte) (v struct{}, err error) {
	if len(src) != 0 {
		return v, fmt.Errorf("serde: void wants null, got %d bytes", len(src))
	}
	return v, nil
}
