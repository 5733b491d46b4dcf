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
			v, _ := s.decode(it.Value())
			return yield(s.decodeKey(it.Key()), v)
		})
	}
}

// scan calls f at each row until it returns false. The walk is closed however it ends: user code may panic in it.
func (s *KeyValue[K, V]) scan(from, to []byte, reverse bool, f func(it store.Iter) bool) {
	it := s.db.Range(from, to, reverse)
	done := false
	defer func() {
		if !done {
			_ = it.Close() // a panic is on its way
		}
	}()
	for it.Next() && f(it) {
	}
	done = true
	if err := it.Close(); err != nil {
		s.fail("scan", err)
	}
}

// Len implements store.KeyValueReader.
func (s *KeyValue[K, V]) Len() (n int) {
	prefix := bytes.Clone(s.buf[:s.prefix])
	s.scan(prefix, after(prefix), false, func(store.Iter) bool { n++; return true })
	return n
}

// after returns the first key above all keys with a prefix, nil if there is none.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
