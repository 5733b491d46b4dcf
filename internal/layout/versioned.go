package layout

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/internal/record"
)

// A Stateful format restores rows from what came before, too. It serves one restore.
type Stateful interface {
	Format
	// Resume reads how far the rows of the store go, before the first call of Rows. get reads a row by its key.
	Resume(get func(key []byte) (value []byte, ok bool, err error)) error
	// Rest writes the rows that say how far the rows go, after a batch of records.
	Rest(w *Writer)
}

// Flags of a version, the last byte of its row.
const (
	// Deleted: the key has no value from this time on.
	Deleted byte = 1 << iota
	// Edge: Kafka Streams knows where this version begins also after it was deleted.
	Edge
	// Bounded: the version was written when a newer one was there.
	Bounded
	// Void: nothing is known of this time any more. The row is there for the changelog, which is told a deletion.
	Void
)

// VersionLen is the length of the time a version's key ends with, bytes.
const VersionLen = 8

// AppendVersion appends the end of a version's key to dst, which ends with the bytes of the key: newer versions come first.
func AppendVersion(dst []byte, at int64) []byte {
	return binary.BigEndian.AppendUint64(dst, ^uint64(at))
}

// Version splits a version's key into the bytes of the key and the time from which the version holds. ok is false for the
// row that holds the store's clock.
func Version(row []byte) (key []byte, at int64, ok bool) {
	n := len(row) - VersionLen
	if n < 0 {
		return nil, 0, false
	}
	return row[:n], int64(^binary.BigEndian.Uint64(row[n:])), true
}

// VersionFlags splits the value of a version's row: the time and the bytes of the value, as in rows of other stores, and
// the flags, its last byte.
func VersionFlags(row []byte) (value []byte, flags byte, err error) {
	n := len(row) - 1
	if n < TimeLen {
		return nil, 0, fmt.Errorf("a version has %d bytes: want its time, its value and its flags", len(row))
	}
	return row[:n], row[n], nil
}

// versioned: all versions of each key, newest first, and the highest time of all (the clock), under the empty key. The
// clock is not logged. A record older than the history, seen from the highest time before it, was refused when it was
// written, and is refused again.
type versioned struct {
	history  int64
	observed int64 // highest time of the records before, -1 for none
}

func (*versioned) Record(a *record.Arena, key, value []byte, has bool, _ int64) (Entry, bool) {
	k, at, ok := Version(key)
	if !ok || !has { // rows of versions are removed when nobody can ask for them any more
		return Entry{}, false
	}
	e := Entry{Key: a.Copy(k), Time: at}
	value, flags, err := VersionFlags(value)
	if err != nil {
		panic("layout: " + err.Error())
	}
	if flags&(Deleted|Void) == 0 {
		e.Value = a.Copy(value[TimeLen:])
	}
	return e, true
}

func (f *versioned) Rows(w *Writer, e *Entry) {
	if e.Time < f.observed-f.history {
		return
	}
	f.observed = max(f.observed, e.Time)
	w.Key(e.Key)
	w.Key(AppendVersion(nil, e.Time))
	w.Time(e.Time)
	if e.Value == nil {
		w.Value([]byte{Deleted})
		return
	}
	w.Value(e.Value)
	w.Value([]byte{0})
}

// Resume implements Stateful.
func (f *versioned) Resume(get func(key []byte) ([]byte, bool, error)) error {
	b, ok, err := get(nil)
	if err == nil && ok {
		f.observed, _ = Time(b)
	}
	return err
}

// Rest implements Stateful.
func (f *versioned) Rest(w *Writer) {
	if f.observed >= 0 {
		w.Key(nil)
		w.Time(f.observed)
	}
}
