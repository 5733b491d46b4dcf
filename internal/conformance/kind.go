package conformance

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/window"
)

// A kind is how the language sees a Go type: as text, null where there is none.
type kind[T any] struct {
	name  string // string, int64, time, session
	serde serde.Serde[T]
	text  func(v T) *string // nil: v is null
	of    func(s *string) T // makes a value of text; nil where none is ever made
}

// errNull is what a function panics with that makes a null in a program of plain types.
var errNull = fmt.Errorf("conformance: a function of a program without nulls made one")

// strings returns the kind of text: with nulls *string, without string.
func nullableStrings() kind[*string] {
	same := func(s *string) *string { return s }
	return kind[*string]{"string", serde.Nullable(serde.String), same, same}
}

func plainStrings() kind[string] {
	return kind[string]{"string", serde.String, func(s string) *string { return &s }, func(s *string) string {
		if s == nil {
			panic(errNull)
		}
		return *s
	}}
}

func nullableNumbers() kind[*int64] {
	return kind[*int64]{"int64", serde.Nullable(serde.Int64), func(n *int64) *string {
		if n == nil {
			return nil
		}
		return decimal(*n)
	}, nil}
}

func plainNumbers() kind[int64] {
	return kind[int64]{"int64", serde.Int64, decimal[int64], nil}
}

// timeKeys is the kind of keys in time windows of a size, sessionKeys that of keys in sessions.
func timeKeys[S any](key kind[S], size time.Duration) kind[window.Key[S]] {
	return kind[window.Key[S]]{"time", window.KeySerde(key.serde, size), windowText(key), nil}
}

func sessionKeys[S any](key kind[S]) kind[window.Key[S]] {
	return kind[window.Key[S]]{"session", window.SessionKeySerde(key.serde), windowText(key), nil}
}

func windowText[S any](key kind[S]) func(k window.Key[S]) *string {
	return func(k window.Key[S]) *string {
		return new(fmt.Sprintf("%s@%d/%d", shown(key.text(k.Key)), k.Start().UnixMilli(), k.End().UnixMilli()))
	}
}

// watched returns the kind that notes in seen when a function meets a null or makes one, in any task.
func (k kind[T]) watched(seen *atomic.Bool) kind[T] {
	text, of := k.text, k.of
	k.text = func(v T) *string {
		s := text(v)
		if s == nil {
			seen.Store(true)
		}
		return s
	}
	if of != nil {
		k.of = func(s *string) T {
			if s == nil {
				seen.Store(true)
			}
			return of(s)
		}
	}
	return k
}
