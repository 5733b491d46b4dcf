package serde

// A Serde writes and reads values of one type. It must be safe for concurrent use.
type Serde[T any] interface {
	// Append appends the bytes of v to dst and returns the extended slice.
	Append(dst []byte, v T) ([]byte, error)
	// Decode reads a value from src. The result must not keep src.
	Decode(src []byte) (T, error)
}

// Nuller is implemented by serdes that write some values as Kafka's null, such as those made by Nullable.
type Nuller[T any] interface {
	// IsNull reports whether v stands for null. Append is not called for such a value.
	IsNull(v T) bool
}

// Bound is implemented by serdes that depend on the topic, such as those of a schema registry.
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
