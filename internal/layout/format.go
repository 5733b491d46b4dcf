package layout

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
)

// An Entry is one changelog record. A nil Value is a deletion.
type Entry struct {
	Key, Value []byte
	Headers    []record.Header
	Time       int64 // milliseconds since the epoch
}

// A Format translates between the rows of one store and the records of its changelog. Keys of rows are without the
// store's prefix.
type Format interface {
	// Record returns what the changelog says of a row, in memory of the arena: has is false for a row that was removed,
	// whose record has the time at. ok is false for rows that are not logged.
	Record(a *record.Arena, key, value []byte, has bool, at int64) (e Entry, ok bool)
	// Rows writes the rows that a record says.
	Rows(w *Writer, e *Entry)
}

// Of returns the format of a store.
func Of(d *decl.Store) Format {
	switch d.Kind {
	case decl.KeyValue:
		if d.TTL > 0 || d.LRU > 0 {
			return &sided{keyValue: keyValue{d.Headers}, ttl: d.TTL > 0, lru: d.LRU > 0}
		}
		return keyValue{d.Headers}
	case decl.Suppressed:
		return suppressed{}
	case decl.Held:
		return held{}
	case decl.Versioned:
		return &versioned{history: d.History.Milliseconds(), observed: -1}
	case decl.Window:
		if d.Duplicates {
			return newDuplicates(d)
		}
		return windows{NewWindowKeys(d)}
	case decl.Session:
		return sessions{NewSessionKeys(d)}
	}
	panic(fmt.Sprintf("layout: no format of %v stores", d.Kind))
}

// TimeLen is the length of the time that most rows' values begin with, bytes.
const TimeLen = 8

// Time returns the time that a row's value begins with, milliseconds, and the rest.
func Time(value []byte) (ms int64, rest []byte) {
	return int64(binary.BigEndian.Uint64(value)), value[TimeLen:]
}

// AppendTime appends a time to dst.
func AppendTime(dst []byte, ms int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(ms)) }

// keyValue: the latest value of each key, after the event time it holds from and, where they are kept, the headers of the
// record that wrote it.
type keyValue struct{ headers bool }

func (f keyValue) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	e := Entry{Key: a.Copy(key), Time: at}
	if has {
		e.Time, value = Time(value)
		if f.headers {
			var err error
			if e.Headers, value, err = Headers(value); err != nil {
				panic(err)
			}
		}
		e.Value = a.Copy(value)
	}
	return e, true
}

func (f keyValue) Rows(w *Writer, e *Entry) {
	w.Key(e.Key)
	if e.Value != nil {
		w.Time(e.Time)
		if f.headers {
			w.Value(AppendHeaders(nil, e.Headers))
		}
		w.Value(e.Value)
	}
}
