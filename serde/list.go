package serde

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
)

// List writes a slice as a count and length-prefixed elements, all lengths int32, big endian:
//
//	count ‖ (length ‖ bytes)…
//
// An element that elem writes as null has length -1 and no bytes. A nil slice is written like an empty one; both are read
// as an empty one. (Kafka's ListSerializer puts a byte 1 in front of the same, and leaves out the lengths of fixed-size
// elements.)
func List[T any](elem Serde[T]) Serde[[]T] {
	return listSerde[T]{elem, listAhead/(int(reflect.TypeFor[T]().Size())+1) + 1}
}

type listSerde[T any] struct {
	elem  Serde[T]
	ahead int // elements allocated before any of them was read
}

const (
	listPrefix = 4  // bytes of a count or length
	listNull   = -1 // length of a null element
	// listAhead bounds the bytes allocated before any element was read: four bytes of input may stand for an element of
	// any size.
	listAhead = 64 << 10
)

func (s listSerde[T]) Append(dst []byte, v []T) ([]byte, error) {
	if len(v) > math.MaxInt32 {
		return dst, fmt.Errorf("serde: list of %d elements: its count does not fit into an int32", len(v))
	}
	out := binary.BigEndian.AppendUint32(dst, uint32(len(v)))
	for i, e := range v {
		at := len(out)
		if isNull(s.elem, e) {
			out = binary.BigEndian.AppendUint32(out, math.MaxUint32)
			continue
		}
		var err error
		out, err = s.elem.Append(append(out, 0, 0, 0, 0), e)
		if err != nil {
			return dst, fmt.Errorf("serde: list element %d of %d: %w", i+1, len(v), err)
		}
		n := len(out) - at - listPrefix
		if n > math.MaxInt32 {
			return dst, fmt.Errorf("serde: list element %d of %d: its length of %d does not fit into an int32", i+1, len(v), n)
		}
		binary.BigEndian.PutUint32(out[at:], uint32(n))
	}
	return out, nil
}

func (s listSerde[T]) Decode(src []byte) ([]T, error) {
	if len(src) < listPrefix {
		return nil, fmt.Errorf("serde: list wants at least %d bytes, got %d", listPrefix, len(src))
	}
	count := int(int32(binary.BigEndian.Uint32(src)))
	rest := src[listPrefix:]
	if count < 0 {
		return nil, fmt.Errorf("serde: list wants a count of 0 or more, got %d", count)
	}
	if count > len(rest)/listPrefix {
		return nil, fmt.Errorf("serde: list counts %d elements, but %d bytes hold at most %d", count, len(src), len(rest)/listPrefix)
	}
	_, nuller := s.elem.(Nuller[T])
	v := make([]T, 0, min(count, s.ahead))
	for i := range count {
		if len(rest) < listPrefix {
			return nil, fmt.Errorf("serde: list element %d of %d wants a length of %d bytes, got %d", i+1, count, listPrefix, len(rest))
		}
		n := int(int32(binary.BigEndian.Uint32(rest)))
		rest = rest[listPrefix:]
		var b []byte // nil is null
		switch {
		case n >= 0 && n <= len(rest):
			b, rest = rest[:n:n], rest[n:]
		case n != listNull || !nuller:
			return nil, fmt.Errorf("serde: list element %d of %d wants a length from 0 to %d, got %d", i+1, count, len(rest), n)
		}
		e, err := s.elem.Decode(b)
		if err != nil {
			return nil, fmt.Errorf("serde: list element %d of %d: %w", i+1, count, err)
		}
		v = append(v, e)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("serde: list of %d elements wants %d bytes, got %d", count, len(src)-len(rest), len(src))
	}
	return v, nil
}

func (s listSerde[T]) ForTopic(topic string, part Part) Serde[[]T] {
	return List(bind(s.elem, topic, part))
}
