package window

import "time"

// A Span is a stretch of time with millisecond bounds. Spans compare with ==. For time windows the end is exclusive, for
// sliding and session windows inclusive.
type Span struct{ start, end int64 } // milliseconds since the epoch; start <= end

// Between makes a span; bounds are cut to milliseconds.
func Between(start, end time.Time) Span { return Span{start.UnixMilli(), end.UnixMilli()} }

// Start returns the first instant of the span.
func (s Span) Start() time.Time { return time.UnixMilli(s.start) }

// End returns the end of the span.
func (s Span) End() time.Time { return time.UnixMilli(s.end) }

// Contains reports whether start <= t < end.
func (s Span) Contains(t time.Time) bool { ms := t.UnixMilli(); return s.start <= ms && ms < s.end }

// Key is the key of a windowed table: the original key and its window.
type Key[K any] struct {
	Key K
	Span
}

// Closed returns the end of a key's window; pass it to Table.SuppressUntil.
func Closed[K any](k Key[K]) time.Time { return k.End() }
