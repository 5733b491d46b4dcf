package topology

import (
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
)

// Record is a record with its time and headers. A missing key or value reads as the zero value; HasKey and HasValue tell.
// A Record written as a literal has both. Where a record is sent on, a zero Time means the time of the record in hand.
type Record[K, V any] struct {
	Key            K
	Value          V
	Time           time.Time // event time, with millisecond precision
	Headers        Headers
	noKey, noValue bool
}

// HasKey reports whether the record has a key.
func (r Record[K, V]) HasKey() bool { return !r.noKey }

// HasValue reports whether the record has a value; one without deletes its key.
func (r Record[K, V]) HasValue() bool { return !r.noValue }

// WithKey returns the record with another key, of any type.
func (r Record[K, V]) WithKey[K2 any](key K2) Record[K2, V] {
	return Record[K2, V]{key, r.Value, r.Time, r.Headers, false, r.noValue}
}

// WithValue returns the record with another value, of any type.
func (r Record[K, V]) WithValue[V2 any](value V2) Record[K, V2] {
	return Record[K, V2]{r.Key, value, r.Time, r.Headers, r.noKey, false}
}

// WithoutKey returns the record without its key.
func (r Record[K, V]) WithoutKey() Record[K, V] {
	var none K
	r.Key, r.noKey = none, true
	return r
}

// WithoutValue returns the record as a deletion of its key.
func (r Record[K, V]) WithoutValue() Record[K, V] {
	var none V
	r.Value, r.noValue = none, true
	return r
}

// Header is one header of a record.
type Header = record.Header

// Headers are a record's headers, in order; a key may occur several times. They are shared between records and steps:
// the methods that change them return a new slice, and the bytes of a value must not be changed.
type Headers []Header

// Get returns the last header of that key.
func (h Headers) Get(key string) ([]byte, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Key == key {
			return h[i].Value, true
		}
	}
	return nil, false
}

// With returns a copy with one more header at the end.
func (h Headers) With(key string, value []byte) Headers {
	return append(slices.Clip(slices.Clone(h)), Header{Key: key, Value: value})
}

// Without returns a copy without the headers of that key.
func (h Headers) Without(key string) Headers {
	return slices.DeleteFunc(slices.Clone(h), func(x Header) bool { return x.Key == key })
}
