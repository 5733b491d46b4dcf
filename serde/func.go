package serde

import (
	"errors"
	"fmt"
	"reflect"
)

// Func makes a serde of two functions, for which the rules of Serde hold: appendTo keeps nothing of dst, the result of
// decode keeps nothing of src. Either may be nil for a topic that is only read or only written; the other direction then
// fails.
func Func[T any](appendTo func(dst []byte, v T) ([]byte, error), decode func(src []byte) (T, error)) Serde[T] {
	return funcSerde[T]{appendTo, decode}
}

var errNoFunc = errors.New("no function was given for this direction")

type funcSerde[T any] struct {
	appendTo func(dst []byte, v T) ([]byte, error)
	decode   func(src []byte) (T, error)
}

func (s funcSerde[T]) Append(dst []byte, v T) ([]byte, error) {
	if s.appendTo == nil {
		return dst, fmt.Errorf("serde: write %v: %w", reflect.TypeFor[T](), errNoFunc)
	}
	return s.appendTo(dst, v)
}

func (s funcSerde[T]) Decode(src []byte) (T, error) {
	if s.decode == nil {
		var zero T
		return zero, fmt.Errorf("serde: read %v: %w", reflect.TypeFor[T](), errNoFunc)
	}
	return s.decode(src)
}
