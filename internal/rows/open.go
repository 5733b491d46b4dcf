package rows

import (
	"bytes"
	"iter"
	"time"
)

// PutAt implements store.KeyValue.
func (s *KeyValue[K, V]) PutAt(k K, v V, at time.Time) { s.Write(k, v, at.UnixMilli()) }

// From implements store.KeyValueReader.
func (s *KeyValue[K, V]) From(from K) iter.Seq2[K, V] {
	return s.walk(bytes.Clone(s.at(from)), after(bytes.Clone(s.buf[:s.prefix])), false)
}

// UpTo implements store.KeyValueReader.
func (s *KeyValue[K, V]) UpTo(to K) iter.Seq2[K, V] {
	return s.walk(bytes.Clone(s.buf[:s.prefix]), append(bytes.Clone(s.at(to)), 0), false)
}
