package layout

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
)

// WindowKeys are the keys of the rows of one window store. There are two forms, both with old rows in front, so that
// expired ones are one range and new ones never lie between:
//
//	start(8) key                where starts are computable: a window is one look-up, and those of all keys that close are a range
//	segment(8) key start(8)     where they are not: the windows of a key are a range per segment
//
// A store that is also read in the order of time has index rows beside the second form: 0xff start(8) key.
type WindowKeys struct {
	segment int64 // milliseconds; 0: the first form
	byTime  bool
}

// NewWindowKeys returns those of a store.
func NewWindowKeys(d *decl.Store) WindowKeys {
	if d.Advance > 0 {
		return WindowKeys{}
	}
	return WindowKeys{Segment(d), d.ByTime}
}

// Segment returns the length of a segment, milliseconds; 0 for keys that begin with the start.
func (f WindowKeys) Segment() int64 { return f.segment }

// Indexed reports whether there are index rows.
func (f WindowKeys) Indexed() bool { return f.byTime }

// Head appends what is in front of the record's key in the row of a window that starts at the given time.
func (f WindowKeys) Head(dst []byte, start int64) []byte {
	if f.segment > 0 {
		start /= f.segment
	}
	return appendNumber(dst, start)
}

// Tail appends what is behind the key.
func (f WindowKeys) Tail(dst []byte, start int64) []byte {
	if f.segment > 0 {
		dst = appendNumber(dst, start)
	}
	return dst
}

// IndexHead appends what is in front of the key in an index row; nothing is behind it.
func (f WindowKeys) IndexHead(dst []byte, start int64) []byte {
	return appendNumber(append(dst, Index), start)
}

// IsIndex reports whether a row is one of the index.
func IsIndex(key []byte) bool { return len(key) > 0 && key[0] == Index }

// Split takes the key of a row apart.
func (f WindowKeys) Split(key []byte) (k []byte, start int64, err error) {
	n := NumberLen
	if f.segment > 0 || IsIndex(key) {
		n = 2 * NumberLen
	}
	switch {
	case IsIndex(key) && len(key) > NumberLen:
		start, k = number(key[1:]), key[1+NumberLen:]
	case len(key) < n:
		return nil, 0, fmt.Errorf("layout: the key of a window's row has %d bytes, want at least %d", len(key), n)
	case f.segment > 0:
		start, k = number(key[len(key)-NumberLen:]), key[NumberLen:len(key)-NumberLen]
	default:
		start, k = number(key), key[NumberLen:]
	}
	if start < 0 {
		return nil, 0, fmt.Errorf("layout: the row of a window that starts before 1970, at %d ms", start)
	}
	return k, start, nil
}

// windows are logged as Kafka Streams does:
//
//	key start(8) sequence(4)     value, and the row's time as timestamp
//
// The sequence number tells duplicates apart, which these stores do not keep: it is 0.
type windows struct{ WindowKeys }

const sequenceLen = 4

func (f windows) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	k, start, err := f.Split(key)
	if err != nil || IsIndex(key) {
		return Entry{}, false // rows are written by this package's keys
	}
	b := append(appendNumber(append(a.Tail(), k...), start), 0, 0, 0, 0)
	e := Entry{Key: a.Take(b), Time: at}
	if has {
		e.Time, value = Time(value)
		e.Value = a.Copy(value)
	}
	return e, true
}

var errSequence = errors.New("layout: the changelog of a window store has a sequence number, as stores of duplicates have: declare the store so")

func (f windows) Rows(w *Writer, e *Entry) {
	n := len(e.Key) - NumberLen - sequenceLen
	if n < 0 {
		w.Fail(fmt.Errorf("layout: the changelog of a window store has a key of %d bytes, want at least %d", len(e.Key), NumberLen+sequenceLen))
		return
	}
	k, start := e.Key[:n], number(e.Key[n:])
	switch {
	case start < 0:
		w.Fail(fmt.Errorf("layout: the changelog of a window store has a window that starts before 1970, at %d ms", start))
		return
	case string(e.Key[n+NumberLen:]) != "\x00\x00\x00\x00":
		w.Fail(errSequence)
		return
	}
	var scratch [1 + 2*NumberLen]byte
	w.Key(f.Head(scratch[:0], start))
	w.Key(k)
	w.Key(f.Tail(scratch[:0], start))
	if e.Value != nil {
		w.Time(e.Time)
		w.Value(e.Value)
	}
	if f.byTime {
		w.Next()
		w.Key(f.IndexHead(scratch[:0], start))
		w.Key(k)
		if e.Value != nil {
			w.Value(Indexed[:])
		}
	}
}
