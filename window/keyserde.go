package window

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/serde"
)

// KeySerde writes windowed keys in Kafka Streams' format for time windows of the given size: the bytes of the key, then
// the start of the window. The end is not written; Decode computes it from size, cut to milliseconds, so writer and
// reader must agree on it. For sliding windows the size is their time difference; the longest Duration is that of a window
// without end.
//
// Append and Decode fail on a window that starts before 1970, which Kafka Streams does not know either, and on any key
// if size is negative.
func KeySerde[K any](key serde.Serde[K], size time.Duration) serde.Serde[Key[K]] {
	return keySerde[K]{key, millis(size)}
}

type keySerde[K any] struct {
	key  serde.Serde[K]
	size int64 // milliseconds
}

const timeBytes = 8

func (s keySerde[K]) check(start int64) error {
	if s.size < 0 {
		return fmt.Errorf("window: KeySerde was given a negative window size of %d ms", s.size)
	}
	if start < 0 {
		return fmt.Errorf("window: a windowed key starts before 1970, at %d ms", start)
	}
	return nil
}

func (s keySerde[K]) Append(dst []byte, k Key[K]) ([]byte, error) {
	if err := s.check(k.start); err != nil {
		return dst, err
	}
	out, err := s.key.Append(dst, k.Key)
	if err != nil {
		return dst, fmt.Errorf("window: key of a windowed key: %w", err)
	}
	return binary.BigEndian.AppendUint64(out, uint64(k.start)), nil
}

func (s keySerde[K]) Decode(src []byte) (Key[K], error) {
	n := len(src) - timeBytes
	if n < 0 {
		return Key[K]{}, fmt.Errorf("window: a windowed key wants at least %d bytes, got %d", timeBytes, len(src))
	}
	start := int64(binary.BigEndian.Uint64(src[n:]))
	if err := s.check(start); err != nil {
		return Key[K]{}, err
	}
	key, err := s.key.Decode(src[:n:n])
	if err != nil {
		return Key[K]{}, fmt.Errorf("window: key of a windowed key: %w", err)
	}
	return Key[K]{key, Span{start, after(start, s.size)}}, nil
}

// WithoutWindow returns the part of a key's bytes that is the key itself: it says the partition, so that all windows of a key are together, as in Kafka Streams.
func (keySerde[K]) WithoutWindow(b []byte) []byte { return b[:len(b)-timeBytes] }

// ForTopic binds the serde of the key.
func (s keySerde[K]) ForTopic(topic string, part serde.Part) serde.Serde[Key[K]] {
	return keySerde[K]{bind(s.key, topic, part), s.size}
}

func bind[K any](s serde.Serde[K], topic string, part serde.Part) serde.Serde[K] {
	if b, ok := s.(serde.Bound[K]); ok {
		return b.ForTopic(topic, part)
	}
	return s
}
