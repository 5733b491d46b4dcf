package window

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/serde"
)

// SessionKeySerde writes windowed keys in Kafka Streams' format for sessions: the bytes of the key, then the end, then
// the start of the session.
//
// Append and Decode fail on a session that starts before 1970 or ends before it starts.
func SessionKeySerde[K any](key serde.Serde[K]) serde.Serde[Key[K]] { return sessionKeySerde[K]{key} }

type sessionKeySerde[K any] struct{ key serde.Serde[K] }

func checkSession(s Span) error {
	if s.start < 0 || s.end < s.start {
		return fmt.Errorf("window: a session key wants 0 <= start <= end, got start %d ms, end %d ms", s.start, s.end)
	}
	return nil
}

func (s sessionKeySerde[K]) Append(dst []byte, k Key[K]) ([]byte, error) {
	if err := checkSession(k.Span); err != nil {
		return dst, err
	}
	out, err := s.key.Append(dst, k.Key)
	if err != nil {
		return dst, fmt.Errorf("window: key of a session key: %w", err)
	}
	out = binary.BigEndian.AppendUint64(out, uint64(k.end))
	return binary.BigEndian.AppendUint64(out, uint64(k.start)), nil
}

func (s sessionKeySerde[K]) Decode(src []byte) (Key[K], error) {
	n := len(src) - 2*timeBytes
	if n < 0 {
		return Key[K]{}, fmt.Errorf("window: a session key wants at least %d bytes, got %d", 2*timeBytes, len(src))
	}
	span := Span{
		start: int64(binary.BigEndian.Uint64(src[n+timeBytes:])),
		end:   int64(binary.BigEndian.Uint64(src[n:])),
	}
	if err := checkSession(span); err != nil {
		return Key[K]{}, err
	}
	key, err := s.key.Decode(src[:n:n])
	if err != nil {
		return Key[K]{}, fmt.Errorf("window: key of a session key: %w", err)
	}
	return Key[K]{key, span}, nil
}

// WithoutWindow returns the part of a key's bytes that is the key itself, as for windows.
func (sessionKeySerde[K]) WithoutWindow(b []byte) []byte { return b[:len(b)-2*timeBytes] }

// ForTopic binds the serde of the key.
func (s sessionKeySerde[K]) ForTopic(topic string, part serde.Part) serde.Serde[Key[K]] {
	return SessionKeySerde(bind(s.key, topic, part))
}
