package serde

import (
	"fmt"
	"reflect"
)

// Convert makes a serde of B from a serde of A and a conversion each way. Either function may be nil for a topic that is
// only read or only written. If s writes some values as Kafka's null (see Nuller), so does the result; encode is then
// called twice for each value.
func Convert[A, B any](s Serde[A], decode func(A) (B, error), encode func(B) (A, error)) Serde[B] {
	c := convertSerde[A, B]{s, decode, encode}
	if _, ok := s.(Nuller[A]); ok {
		return nullingConvertSerde[A, B]{c}
	}
	return c
}

type convertSerde[A, B any] struct {
	inner  Serde[A]
	decode func(A) (B, error)
	encode func(B) (A, error)
}

func (s convertSerde[A, B]) Append(dst []byte, v B) ([]byte, error) {
	if s.encode == nil {
		return dst, fmt.Errorf("serde: write %v: %w", reflect.TypeFor[B](), errNoFunc)
	}
	a, err := s.encode(v)
	if err != nil {
		return dst, fmt.Errorf("serde: write %v as %v: %w", reflect.TypeFor[B](), reflect.TypeFor[A](), err)
	}
	return s.inner.Append(dst, a)
}

func (s convertSerde[A, B]) Decode(src []byte) (B, error) {
	var zero B
	if s.decode == nil {
		return zero, fmt.Errorf("serde: read %v: %w", reflect.TypeFor[B](), errNoFunc)
	}
	a, err := s.inner.Decode(src)
	if err != nil {
		return zero, err
	}
	b, err := s.decode(a)
	if err != nil {
		return zero, fmt.Errorf("serde: read %v from %v: %w", reflect.TypeFor[B](), reflect.TypeFor[A](), err)
	}
	return b, nil
}

func (s convertSerde[A, B]) ForTopic(topic string, part Part) Serde[B] {
	return Convert(bind(s.inner, topic, part), s.decode, s.encode)
}

// nullingConvertSerde is a Convert whose inner serde is a Nuller. It is a type of its own because having IsNull says
// something: rules for nulls look at who implements Nuller.
type nullingConvertSerde[A, B any] struct{ convertSerde[A, B] }

// IsNull reports false for a value that cannot be converted: Append then says why.
func (s nullingConvertSerde[A, B]) IsNull(v B) bool {
	if s.encode == nil {
		return false
	}
	a, err := s.encode(v)
	return err == nil && isNull(s.inner, a)
}
