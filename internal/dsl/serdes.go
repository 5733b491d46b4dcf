package dsl

import (
	"github.com/millrace-streams/millrace/serde"
)

// Choose returns s, or if that is nil the built-in serde of T, or nil if T has none.
func Choose[T any](s serde.Serde[T]) serde.Serde[T] {
	return s
}
