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

// A Foretelling format has records that say more than Kafka Streams' do go before its own.
type Foretelling interface {
	Format
	// Foretell returns the headers of a record to be logged before that of a row, the same in all else; nil: there is none.
	Foretell(value []byte) []record.Header
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
	// Told: the other flags do not follow from what is behind this version, so that the changelog is told them.
	Told

	flagged = Told<<1 - 1 // all there are
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
//
// A version whose flags must be told is logged twice, so that its record is that of Kafka Streams: the first time with the flags in a
// header. Readers who do not know it take the second for a repetition.
type versioned struct {
	history  int64
	observed int64 // highest time of the records before, -1 for none
	told     told
}

// told are the flags that a record told of the version that the next one is of; of no version, if flags is 0.
type told struct {
	flags byte
	at    int64
	key   []byte
}

// flagsHeader is the header that tells the flags of a version, one byte.
const flagsHeader = "millrace-flags"

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

// Foretell implements Foretelling.
func (*versioned) Foretell(value []byte) []record.Header {
	if _, flags, err := VersionFlags(value); err == nil && flags&Told != 0 {
		return []record.Header{{Key: flagsHeader, Value: []byte{flags}}}
	}
	return nil
}

func (f *versioned) Rows(w *Writer, e *Entry) {
	flags := byte(0)
	switch t := &f.told; {
	case e.Time < 0: // of a source that serves as changelog: it was dropped when it was read
		return
	case e.Time < f.observed-f.history:
		return
	case t.flags != 0 && t.at == e.Time && string(t.key) == string(e.Key):
		flags = t.flags
	case e.Value == nil:
		flags = Deleted
	}
	f.told.flags = 0
	for _, h := range e.Headers {
		if h.Key != flagsHeader {
			continue
		}
		if len(h.Value) != 1 || h.Value[0]&Told == 0 || h.Value[0]&^flagged != 0 || (h.Value[0]&(Deleted|Void) == 0) != (e.Value != nil) {
			w.Fail(fmt.Errorf("layout: the changelog of a versioned store has a header %s of %x, which is none of this program's: a later one wrote it", flagsHeader, h.Value))
			return
		}
		flags = h.Value[0]
		f.told = told{flags, e.Time, append(f.told.key[:0], e.Key...)}
	}
	f.observed = max(f.observed, e.Time)
	w.Key(e.Key)
	w.Key(AppendVersion(nil, e.Time))
	w.Time(e.Time)
	w.Value(e.Value)
	w.Value([]byte{flags})
}

// Resume implements Stateful.
func (f *versioned) Resume(get func(key []byte) ([]byte, bool, error)) error {
	b, ok, err := get(nil)
	if err != nil || !ok {
		return err
	}
	if f.observed, b = Time(b); len(b) > TimeLen {
		f.told = told{flags: b[TimeLen], key: append([]byte(nil), b[TimeLen+1:]...)}
		f.told.at, _ = Time(b)
	}
	return nil
}

// Rest implements Stateful: the clock and, behind it, what was told of the version whose record is yet to come.
func (f *versioned) Rest(w *Writer) {
	if f.observed < 0 {
		return
	}
	w.Key(nil)
	w.Time(f.observed)
	if t := &f.told; t.flags != 0 {
		w.Time(t.at)
		w.Value([]byte{t.flags})
		w.Value(t.key)
	}
}
