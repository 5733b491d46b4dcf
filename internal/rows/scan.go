package rows

import (
	"bytes"
	"iter"

	"github.com/millrace-streams/millrace/store"
)

// All implements store.KeyValueReader.
func (s *KeyValue[K, V]) All() iter.Seq2[K, V] { return s.Prefix(nil) }

// Range implements store.KeyValueReader.
func (s *KeyValue[K, V]) Range(from, to K) iter.Seq2[K, V] { return s.between(from, to, false) }

// Reverse implements store.KeyValueReader.
func (s *KeyValue[K, V]) Reverse(from, to K) iter.Seq2[K, V] { return s.between(from, to, true) }

// Prefix implements store.KeyValueReader.
func (s *KeyValue[K, V]) Prefix(prefix []byte) iter.Seq2[K, V] {
	from := append(bytes.Clone(s.buf[:s.prefix]), prefix...)
	return s.walk(from, after(from), false)
}

// between includes both keys: the first key above to is to with a zero byte behind it.
func (s *KeyValue[K, V]) between(from, to K, reverse bool) iter.Seq2[K, V] {
	low := bytes.Clone(s.at(from))
	high := append(bytes.Clone(s.at(to)), 0)
	return s.walk(low, high, reverse)
}

func (s *KeyValue[K, V]) walk(from, to []byte, reverse bool) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		s.scan(from, to, reverse, func(it store.Iter) bool {
			if s.forget != nil && s.forget.expired(it.Value()) {
				return true
			}
			v, _ := s.decode(it.Value())
			return yield(s.decodeKey(it.Key()[s.prefix:]), v)
		})
	}
}

// Len implements store.KeyValueReader.
func (s *KeyValue[K, V]) Len() (n int) {
	prefix := bytes.Clone(s.buf[:s.prefix])
	s.scan(prefix, after(prefix), false, func(it store.Iter) bool {
		if s.forget == nil || !s.forget.expired(it.Value()) {
			n++
		}
		return true
	})
	return n
}
