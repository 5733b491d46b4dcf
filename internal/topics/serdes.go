package topics

import "github.com/millrace-streams/millrace/serde"

// Choose returns the first of the given serdes that is not nil, else the built-in serde of T, else nil.
func Choose[T any](of ...serde.Serde[T]) serde.Serde[T] {
	for _, s := range of {
		if s != nil {
			return s
		}
	}
	s, _ := serde.Of[T]()
	return s
}

// Bind returns the serde for the records of one topic: s itself unless it depends on the topic.
func Bind[T any](s serde.Serde[T], topic string, part serde.Part) serde.Serde[T] {
	if b, ok := s.(serde.Bound[T]); ok {
		return b.ForTopic(topic, part)
	}
	return s
}

// Null returns the function that tells which values a serde writes as Kafka's null, nil if it writes none so.
func Null[T any](s serde.Serde[T]) func(v T) bool {
	if n, ok := s.(serde.Nuller[T]); ok {
		return n.IsNull
	}
	return nil
}

// Nullable reports whether the zero T is how functions see a null, as with serde.Nullable.
func Nullable[T any](s serde.Serde[T]) bool {
	var zero T
	null := Null(s)
	return null != nil && null(zero)
}

// Binds reports whether s depends on the topic.
func Binds[T any](s serde.Serde[T]) bool { _, ok := s.(serde.Bound[T]); return ok }
