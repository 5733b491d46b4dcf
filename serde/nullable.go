package serde

import (
	"fmt"
	"reflect"
)

// Nullable lets functions see nulls: a nil pointer is Kafka's null, read and written. Without it a record without a
// value passes functions by, uncalled.
//
// What is null is decided by the serde where bytes are written: a nil pointer made by a plain function is a value like
// any other until it comes to a sink, a store or a repartition topic with a Nullable serde. An aggregate with a Nullable
// serde deletes its row by returning nil.
func Nullable[T any](s Serde[T]) Serde[*T] { return nullableSerde[T]{s} }

type nullableSerde[T any] struct{ inner Serde[T] }

func (s nullableSerde[T]) IsNull(v *T) bool { return v == nil || isNull(s.inner, *v) }

func (s nullableSerde[T]) Append(dst []byte, v *T) ([]byte, error) {
	if v == nil {
		return dst, fmt.Errorf("serde: a nil *%v is Kafka's null and has no bytes: ask IsNull before Append", reflect.TypeFor[T]())
	}
	return s.inner.Append(dst, *v)
}

func (s nullableSerde[T]) Decode(src []byte) (*T, error) {
	if src == nil {
		return nil, nil
	}
	v, err := s.inner.Decode(src)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

func (s nullableSerde[T]) ForTopic(topic string, part Part) Serde[*T] {
	return Nullable(bind(s.inner, topic, part))
}
