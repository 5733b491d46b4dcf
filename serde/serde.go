package serde

// A Serde writes and reads values of one type. It must be safe for concurrent use.
type Serde[T any] interface {
	// Append appends the bytes of v to dst and returns the extended slice. It does not keep dst. After an error the
	// result is not to be used.
	Append(dst []byte, v T) ([]byte, error)
	// Decode reads a value from src. The result must not keep src, which is reused; the one exception is Bytes.
	Decode(src []byte) (T, error)
}

// Nuller is implemented by serdes that write some values as Kafka's null, such as those made by Nullable.
type Nuller[T any] interface {
	// IsNull reports whether v stands for null. Append is not called for such a value; null is read by Decode(nil).
	IsNull(v T) bool
}

// Bound is implemented by serdes that depend on the topic, such as those of a schema registry. Serdes made of another
// one (Convert, List, Nullable) bind the one inside.
type Bound[T any] interface {
	// ForTopic returns the serde for one half of the records of a topic.
	ForTopic(topic string, part Part) Serde[T]
}

// Part says which half of a record a serde writes.
type Part uint8

const (
	Key Part = iota
	Value
)

// String returns "key" or "value".
func (p Part) String() string {
	if p == Key {
		return "key"
	}
	return "value"
}

// bind returns s for one half of the records of a topic.
func bind[T any](s Serde[T], topic string, part Part) Serde[T] {
	if b, ok := s.(Bound[T]); ok {
		return b.ForTopic(topic, part)
	}
	return s
}

// isNull reports whether s writes v as Kafka's null.
func isNull[T any](s Serde[T], v T) bool {
	n, ok := s.(Nuller[T])
	return ok && n.IsNull(v)
}
