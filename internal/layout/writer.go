package layout

import "github.com/millrace-streams/millrace/store"

// A Writer collects rows. Each begins with Key, which may be called again to write the key in pieces as long as nothing
// of the value is written; a row without a value is a deletion.
//
//	w.Key(k); w.Time(t); w.Value(v)    a row
//	w.Key(k)                           a deletion
//	w.Next(); w.Key(k2)                another row of the same record
type Writer struct {
	prefix []byte
	buf    []byte
	ends   []span
	rows   []store.KV
	state  uint8 // of the last row
	err    error // the first record that says no rows
}

const (
	nothing uint8 = iota
	inKey
	inValue
)

// span is where a row lies in buf: its key begins where the row before ends.
type span struct{ key, value int }

// NewWriter returns a writer of rows under a store's prefix.
func NewWriter(prefix []byte) *Writer { return &Writer{prefix: prefix} }

// Reset drops all rows, and the error.
func (w *Writer) Reset() { w.buf, w.ends, w.state, w.err = w.buf[:0], w.ends[:0], nothing, nil }

// Fail tells that a record is none of the store's.
func (w *Writer) Fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Err returns what Fail was given first since Reset.
func (w *Writer) Err() error { return w.err }

// Next ends a row.
func (w *Writer) Next() {
	if w.state != nothing {
		value := -1
		if w.state == inValue {
			value = len(w.buf)
		}
		last := &w.ends[len(w.ends)-1]
		last.value = value
		w.state = nothing
	}
}

// Key writes a piece of the key.
func (w *Writer) Key(b []byte) {
	if w.state == nothing {
		w.buf = append(w.buf, w.prefix...)
		w.ends = append(w.ends, span{})
		w.state = inKey
	}
	w.buf = append(w.buf, b...)
	w.ends[len(w.ends)-1].key = len(w.buf)
}

// Time writes a time as a piece of the value.
func (w *Writer) Time(ms int64) {
	w.state = inValue
	w.buf = AppendTime(w.buf, ms)
}

// Value writes a piece of the value. An empty piece makes the row one with a value.
func (w *Writer) Value(b []byte) {
	w.state = inValue
	w.buf = append(w.buf, b...)
}

// Rows returns what was written, valid until Reset.
func (w *Writer) Rows() []store.KV {
	w.Next()
	w.rows = w.rows[:0]
	at := 0
	for _, s := range w.ends {
		kv := store.KV{Key: w.buf[at:s.key:s.key]}
		at = s.key
		if s.value >= 0 {
			kv.Value = w.buf[at:s.value:s.value]
			at = s.value
		}
		w.rows = append(w.rows, kv)
	}
	return w.rows
}
