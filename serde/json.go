package serde

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// JSON returns a serde that writes values with encoding/json. Fields the reader does not know are ignored, fields that
// are missing stay zero. A nil pointer or map is written as the text null, which is not Kafka's null: see Nullable.
//
// Keys are compared as bytes. encoding/json sorts the keys of maps, but two programs agree on a key only while they
// agree on the order of fields.
func JSON[T any]() Serde[T] { return jsonSerde[T]{} }

type jsonSerde[T any] struct{}

func (jsonSerde[T]) Append(dst []byte, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("serde: write %v as JSON: %w", reflect.TypeFor[T](), err)
	}
	return append(dst, b...), nil
}

func (jsonSerde[T]) Decode(src []byte) (T, error) {
	var v T
	if err := json.Unmarshal(src, &v); err != nil {
		var zero T
		return zero, fmt.Errorf("serde: read %v from %d bytes of JSON: %w", reflect.TypeFor[T](), len(src), err)
	}
	return v, nil
}
