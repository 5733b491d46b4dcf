package serde

import (
	"encoding"
	"fmt"
	"reflect"
)

// Binary returns a serde that uses the type's own MarshalBinary and UnmarshalBinary, and AppendBinary where it has one.
// Name the type, P is found: Binary[netip.Addr]().
func Binary[T any, P interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}]() Serde[T] {
	return binarySerde[T, P]{}
}

type binarySerde[T any, P interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}] struct{}

func (binarySerde[T, P]) Append(dst []byte, v T) ([]byte, error) {
	if a, ok := any(P(&v)).(encoding.BinaryAppender); ok {
		b, err := a.AppendBinary(dst)
		if err != nil {
			return dst, fmt.Errorf("serde: write %v: %w", reflect.TypeFor[T](), err)
		}
		return b, nil
	}
	b, err := P(&v).MarshalBinary()
	if err != nil {
		return dst, fmt.Errorf("serde: write %v: %w", reflect.TypeFor[T](), err)
	}
	return append(dst, b...), nil
}

func (binarySerde[T, P]) Decode(src []byte) (T, error) {
	var v T
	if err := P(&v).UnmarshalBinary(src); err != nil {
		var zero T
		return zero, fmt.Errorf("serde: read %v from %d bytes: %w", reflect.TypeFor[T](), len(src), err)
	}
	return v, nil
}
