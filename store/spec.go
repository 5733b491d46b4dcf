package store

import (
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/serde"
)

// A Spec declares a store: its name, its serdes and its options. It is one of KeyValueSpec, WindowSpec, SessionSpec and
// VersionedSpec.
type Spec interface {
	// Name returns the store's name, which is part of the name of its changelog topic.
	Name() string
	// Decl returns the declaration as data. It is for Millrace's own packages.
	Decl() *decl.Store
}

type spec struct{ d *decl.Store }

// Name returns the store's name; the zero spec has none.
func (s spec) Name() string {
	if s.d == nil {
		return ""
	}
	return s.d.Name
}

// Decl returns the declaration as data, nil for the zero spec. It is for Millrace's own packages.
func (s spec) Decl() *decl.Store { return s.d }

// A KeyValueSpec declares a store of the latest value per key. Specs are small values: copies declare the same store.
type KeyValueSpec[K, V any] struct{ spec }

// A WindowSpec declares a store of values per key and window start.
type WindowSpec[K, V any] struct{ spec }

// A SessionSpec declares a store of values per key and session.
type SessionSpec[K, V any] struct{ spec }

// A VersionedSpec declares a store that keeps the history of each key.
type VersionedSpec[K, V any] struct{ spec }

// VersionsOf returns the spec of a table's store as one of versions. It is for Millrace's own packages: use
// ktable.VersionedStore.
func VersionsOf[K, V any](table KeyValueSpec[K, V]) VersionedSpec[K, V] {
	return VersionedSpec[K, V](table)
}

// WindowsOf returns the spec of a store of windows that is declared already. It is for Millrace's own packages: use
// ktable.WindowStore.
func WindowsOf[K, V any](d *decl.Store) WindowSpec[K, V] { return WindowSpec[K, V]{spec{d}} }

// SessionsOf is WindowsOf for sessions: use ktable.SessionStore.
func SessionsOf[K, V any](d *decl.Store) SessionSpec[K, V] { return SessionSpec[K, V]{spec{d}} }

// NewKeyValue declares a key-value store. A nil serde means serde.Of. What is wrong with the declaration is reported by
// the Build of the topology that uses it.
func NewKeyValue[K, V any](name string, key serde.Serde[K], value serde.Serde[V], opts ...Option) KeyValueSpec[K, V] {
	d := declare(decl.KeyValue, name, key, value)
	return KeyValueSpec[K, V]{finish(d, opts)}
}

// NewWindow declares a window store for windows of the given size. Windows are kept until they started longer than
// retention before stream time; retention must not be less than size. Nil serdes and errors are as in NewKeyValue.
func NewWindow[K, V any](name string, key serde.Serde[K], value serde.Serde[V], size, retention time.Duration, opts ...Option) WindowSpec[K, V] {
	d := declare(decl.Window, name, key, value)
	d.Size = span(d, "size", size)
	d.Retention = span(d, "retention", retention)
	return WindowSpec[K, V]{finish(d, opts)}
}

// NewSession declares a session store. Sessions are kept until they ended longer than retention before stream time. Nil
// serdes and errors are as in NewKeyValue.
func NewSession[K, V any](name string, key serde.Serde[K], value serde.Serde[V], retention time.Duration, opts ...Option) SessionSpec[K, V] {
	d := declare(decl.Session, name, key, value)
	d.Retention = span(d, "retention", retention)
	return SessionSpec[K, V]{finish(d, opts)}
}

// NewVersioned declares a versioned store that keeps what each row was during the last history of stream time. Nil
// serdes and errors are as in NewKeyValue.
func NewVersioned[K, V any](name string, key serde.Serde[K], value serde.Serde[V], history time.Duration, opts ...Option) VersionedSpec[K, V] {
	d := declare(decl.Versioned, name, key, value)
	d.History = span(d, "history", history)
	return VersionedSpec[K, V]{finish(d, opts)}
}

// declare must be called by the exported constructors only: it records the line of their caller.
func declare[K, V any](kind decl.Kind, name string, key serde.Serde[K], value serde.Serde[V]) *decl.Store {
	d := &decl.Store{Name: name, Kind: kind}
	if _, file, line, ok := runtime.Caller(2); ok {
		d.At = filepath.Base(file) + ":" + strconv.Itoa(line)
	}
	if key == nil {
		key = builtin[K](d, "key")
	}
	if value == nil {
		value = builtin[V](d, "value")
	}
	d.Key, d.Value = key, value
	var zero V
	if n, ok := value.(serde.Nuller[V]); ok && reflect.TypeFor[V]().Size() == 0 && n.IsNull(zero) {
		invalid(d, "values of type %v are written as null, which deletes their row: take serde.Bool", reflect.TypeFor[V]())
	}
	return d
}

// finish applies the options and checks what they say together.
func finish(d *decl.Store, opts []Option) spec {
	for _, o := range opts {
		o.Apply(d)
	}
	for _, of := range []time.Duration{d.Size, d.Retention, d.Segment} {
		if of%time.Millisecond != 0 && of != math.MaxInt64 {
			invalid(d, "%v is not a whole number of milliseconds, in which stores count time: round it", of)
		}
	}
	if d.Kind == decl.Window && d.Retention < d.Size {
		invalid(d, "retention %v is less than the windows' size %v: windows would go before they end", d.Retention, d.Size)
	}
	if d.Retention != 0 && d.Kind != decl.Window && d.Kind != decl.Session {
		invalid(d, "Retention is for window and session stores, this is a %v store", d.Kind)
	}
	if d.Segment != 0 && d.Kind == decl.KeyValue && d.History == 0 {
		invalid(d, "SegmentInterval is for stores whose rows expire, this is a %v store", d.Kind)
	}
	if (d.TTL != 0 || d.LRU != 0) && d.Kind != decl.KeyValue {
		invalid(d, "TTL and LRU are for key-value stores, this is a %v store", d.Kind)
	}
	if d.Headers && d.Kind != decl.KeyValue {
		invalid(d, "Headers is for key-value stores, this is a %v store", d.Kind)
	}
	if d.Duplicates && d.Kind != decl.Window {
		invalid(d, "Duplicates is for window stores, this is a %v store", d.Kind)
	}
	if d.History != 0 && (d.Kind == decl.Window || d.Kind == decl.Session) {
		invalid(d, "History is for tables and versioned stores, this is a %v store", d.Kind)
	}
	return spec{d}
}

// builtin returns the built-in serde of T, or keeps an error in the declaration.
func builtin[T any](d *decl.Store, which string) serde.Serde[T] {
	if s, ok := serde.Of[T](); ok {
		return s
	}
	invalid(d, "no serde for %s type %v: pass one", which, reflect.TypeFor[T]())
	return nil
}
