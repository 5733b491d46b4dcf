package layout

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/millrace-streams/millrace/internal/record"
)

// A Stateful format restores rows from what came before, too. It serves one restore.
type Stateful interface {
	Format
	// Resume reads how far the rows of the store go, before the first call of Rows. The format goes on reading from rows, which
	// must show what was written after each call of Rest.
	Resume(rows Reader) error
	// Rest writes the rows that say how far the rows go, after a batch of records.
	Rest(w *Writer)
}

// A Reader reads the rows of one store, under keys without its prefix.
type Reader interface {
	Get(key []byte) (value []byte, ok bool, err error)
	// Scan calls f for the rows from a key up to another, until f returns false.
	Scan(from, to []byte, f func(key, value []byte) bool) error
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
//
// The changelog is told of puts, one by one, as by Kafka Streams: what a put does depends on the versions that are there, and
// they follow from the puts before it. So a restore puts again.
type versioned struct {
	history  int64
	observed int64 // highest time of the records before, -1 for none
	rows     Reader
	batch    batch
	low      []byte
	high     []byte
}

// Record implements Format: rows are not logged, puts are.
func (*versioned) Record(*record.Arena, []byte, []byte, bool, int64) (Entry, bool) {
	return Entry{}, false
}

func (f *versioned) Rows(w *Writer, e *Entry) {
	if e.Time < 0 || e.Time < f.observed-f.history { // below 0 in a source that serves as changelog: it was dropped when it was read
		return
	}
	flags := byte(0)
	if e.Value == nil {
		flags = Deleted
	}
	if e.Time <= f.observed { // else it is behind all versions there are
		near, err := f.near(e.Key, e.Time)
		if err != nil {
			w.Fail(err)
			return
		}
		flags = near.Flags(e.Value != nil)
	}
	f.observed = max(f.observed, e.Time)
	f.batch.add(e.Key, e.Time, flags)
	w.Key(e.Key)
	w.Key(AppendVersion(nil, e.Time))
	w.Time(e.Time)
	w.Value(e.Value)
	w.Value([]byte{flags})
}

// near finds the versions of a key around a time: among those of the batch, which replace older ones, and those before it.
func (f *versioned) near(key []byte, at int64) (n Near, err error) {
	n.Latest = true
	here := f.batch.of(key)
	for t, flags := range here {
		n.see(t, flags, at)
	}
	if f.rows == nil {
		return n, nil
	}
	f.low = AppendVersion(append(f.low[:0], key...), math.MaxInt64)
	f.high = append(AppendVersion(append(f.high[:0], key...), 0), 0)
	scan := f.rows.Scan(f.low, f.high, func(row, value []byte) bool {
		if len(row) != len(key)+VersionLen { // of a longer key that begins like a version of this one
			return true
		}
		_, t, _ := Version(row)
		if _, replaced := here[t]; replaced {
			return true
		}
		_, flags, broken := VersionFlags(value)
		if err = broken; err != nil {
			return false
		}
		n.see(t, flags, at)
		return t >= at || flags&Void != 0
	})
	return n, errors.Join(err, scan)
}

// Resume implements Stateful.
func (f *versioned) Resume(rows Reader) error {
	f.rows = rows
	b, ok, err := rows.Get(nil)
	if err == nil && ok {
		f.observed, _ = Time(b)
	}
	return err
}

// Rest implements Stateful: the clock.
func (f *versioned) Rest(w *Writer) {
	f.batch.clear()
	if f.observed < 0 {
		return
	}
	w.Key(nil)
	w.Time(f.observed)
}
