package layout

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
)

// SessionKeys are the keys of the rows of one session store:
//
//	segment(8) key end(8) start(8)     segment = end / length of a segment
//
// Sessions expire by their ends, so whole segments do; those of a key are a range per segment, in the order in which
// Kafka Streams finds them. Neither end nor start of a session is computable from a record, which rules out a key that
// begins with one; and a row per key that lists its sessions would be rewritten and logged as a whole.
//
// A store that is also read in the order of time has index rows: 0xff end(8) start(8) key.
type SessionKeys struct {
	segment int64 // milliseconds
	byTime  bool
}

// NewSessionKeys returns those of a store.
func NewSessionKeys(d *decl.Store) SessionKeys { return SessionKeys{Segment(d), d.ByTime} }

// Segment returns the length of a segment, milliseconds.
func (f SessionKeys) Segment() int64 { return f.segment }

// Indexed reports whether there are index rows.
func (f SessionKeys) Indexed() bool { return f.byTime }

// Head appends what is in front of the record's key in the row of a session that ends at the given time.
func (f SessionKeys) Head(dst []byte, end int64) []byte { return appendNumber(dst, end/f.segment) }

// Tail appends what is behind the key.
func (f SessionKeys) Tail(dst []byte, start, end int64) []byte {
	return appendNumber(appendNumber(dst, end), start)
}

// IndexHead appends what is in front of the key in an index row; nothing is behind it.
func (f SessionKeys) IndexHead(dst []byte, start, end int64) []byte {
	return f.Tail(append(dst, Index), start, end)
}

// Split takes the key of a row apart.
func (f SessionKeys) Split(key []byte) (k []byte, start, end int64, err error) {
	const least = 3 * NumberLen
	times := key[max(0, len(key)-2*NumberLen):]
	switch {
	case IsIndex(key) && len(key) > 2*NumberLen:
		times, k = key[1:], key[1+2*NumberLen:]
	case IsIndex(key) || len(key) < least:
		return nil, 0, 0, fmt.Errorf("layout: the key of a session's row has %d bytes, want at least %d", len(key), least)
	default:
		k = key[NumberLen : len(key)-2*NumberLen]
	}
	end, start = number(times), number(times[NumberLen:])
	return k, start, end, checkSession(start, end)
}

func checkSession(start, end int64) error {
	if start < 0 || end < start {
		return fmt.Errorf("layout: a session from %d to %d ms: want 0 <= start <= end", start, end)
	}
	return nil
}

// sessions are logged as Kafka Streams does:
//
//	key end(8) start(8)     value, and the row's time as timestamp
type sessions struct{ SessionKeys }

func (f sessions) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	k, start, end, err := f.Split(key)
	if err != nil || IsIndex(key) {
		return Entry{}, false // rows are written by this package's keys
	}
	e := Entry{Key: a.Take(f.Tail(append(a.Tail(), k...), start, end)), Time: at}
	if has {
		e.Time, value = Time(value)
		e.Value = a.Copy(value)
	}
	return e, true
}

func (f sessions) Rows(w *Writer, e *Entry) {
	n := len(e.Key) - 2*NumberLen
	if n < 0 {
		w.Fail(fmt.Errorf("layout: the changelog of a session store has a key of %d bytes, want at least %d", len(e.Key), 2*NumberLen))
		return
	}
	k, end, start := e.Key[:n], number(e.Key[n:]), number(e.Key[n+NumberLen:])
	if err := checkSession(start, end); err != nil {
		w.Fail(err)
		return
	}
	var scratch [1 + 3*NumberLen]byte
	w.Key(f.Head(scratch[:0], end))
	w.Key(k)
	w.Key(f.Tail(scratch[:0], start, end))
	if e.Value != nil {
		w.Time(e.Time)
		w.Value(e.Value)
	}
	if f.byTime {
		w.Next()
		w.Key(f.IndexHead(scratch[:0], start, end))
		w.Key(k)
		if e.Value != nil {
			w.Value(Indexed[:])
		}
	}
}
