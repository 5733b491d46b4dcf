package rows

import (
	"fmt"
	"reflect"

	"github.com/millrace-streams/millrace/internal/layout"
)

// copies says which halves of a row may keep the bytes they are decoded from, as those of serde.Bytes do. The bytes of a
// row change with the next write, so these are decoded from copies.
type copies struct{ key, value bool }

func copiesOf[K, V any]() copies {
	return copies{key: bytesLike(reflect.TypeFor[K]()), value: bytesLike(reflect.TypeFor[V]())}
}

func bytesLike(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// encode returns the value of a row, valid until the next call.
func (s *part[K, V]) encode(v V, time int64) []byte {
	row := layout.AppendTime(s.val[:0], time)
	if s.headers {
		row = layout.AppendHeaders(row, s.env.Meta().Headers)
	}
	b, err := s.value.Append(row, v)
	if err != nil {
		s.fail("a value cannot be encoded", err)
	}
	s.val = b
	return b
}

// decode reads the value of a row.
func (s *part[K, V]) decode(b []byte) (v V, time int64) {
	if len(b) < layout.TimeLen {
		s.fail("a row cannot be decoded", fmt.Errorf("it has %d bytes and begins with a time of %d: another version or application wrote it", len(b), layout.TimeLen))
	}
	time, b = layout.Time(b)
	if s.headers {
		var err error
		if b, err = layout.SkipHeaders(b); err != nil {
			s.fail("a row cannot be decoded", err)
		}
	}
	if s.copies.value {
		b = s.env.Arena().Copy(b)
	}
	v, err := s.value.Decode(b)
	if err != nil {
		s.fail("a value cannot be decoded", err)
	}
	return v, time
}

// decodeKey reads the bytes of a key.
func (s *part[K, V]) decodeKey(b []byte) K {
	if s.copies.key {
		b = s.env.Arena().Copy(b)
	}
	k, err := s.key.Decode(b)
	if err != nil {
		s.fail("a key cannot be decoded", err)
	}
	return k
}
