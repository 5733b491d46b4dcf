package layout_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
)

// forms are declarations of stores whose rows and records look different, beside those of windows and sessions.
var forms = []decl.Store{
	{Kind: decl.KeyValue},
	{Kind: decl.KeyValue, Headers: true},
	{Kind: decl.KeyValue, TTL: time.Hour},
	{Kind: decl.KeyValue, LRU: 10},
	{Kind: decl.KeyValue, TTL: time.Hour, LRU: 10, Headers: true},
	{Kind: decl.Versioned, History: time.Hour},
	{Kind: decl.Suppressed},
	{Kind: decl.Held},
	{Kind: decl.Window, Duplicates: true, Retention: time.Hour},
}

// FuzzChangelog: a record of a changelog is refused, or says rows of which the first is logged as that record again. It is never
// much larger than the record.
func FuzzChangelog(f *testing.F) {
	plain := []byte("\x00\x00\x00\x00\x00\x00\x00\x05 and what waits \x00\x00\x00\x00\x00\x00\x00\x07")
	f.Add([]byte("key"), []byte("value"), false, "", []byte(nil), int64(7))
	f.Add([]byte("key"), []byte{}, true, "h", []byte("x"), int64(0))
	f.Add([]byte("key"), plain, false, "v", []byte{3}, int64(5))
	f.Add([]byte("key"), plain, false, "v", []byte{2}, int64(5))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x05key\x00\x00\x00\x01"), plain, false, "", []byte(nil), int64(5))
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x01"), []byte("value"), false, "", []byte(nil), int64(5))
	f.Add([]byte("key"), []byte("value"), false, "", []byte(nil), int64(-1))
	f.Fuzz(func(t *testing.T, key, value []byte, deletes bool, name string, text []byte, at int64) {
		e := layout.Entry{Key: append([]byte{}, key...), Value: append([]byte{}, value...), Time: at, Headers: []record.Header{{Key: name, Value: text}}}
		if deletes {
			e.Value = nil
		}
		for i := range forms {
			w := layout.NewWriter([]byte("PP"))
			layout.Of(&forms[i]).Rows(w, &e)
			rows := w.Rows()
			if w.Err() != nil {
				if len(rows) != 0 {
					t.Fatalf("%v: rows beside the error %v", forms[i].Kind, w.Err())
				}
				continue
			}
			size := 0
			for _, row := range rows {
				size += len(row.Key) + len(row.Value)
			}
			if most := 4*len(key) + len(value) + len(name) + len(text) + 200; size > most {
				t.Fatalf("%v: %d bytes of rows, want %d at most", forms[i].Kind, size, most)
			}
			if len(rows) > 0 {
				loggedAgain(t, &forms[i], &e, rows[0].Key[2:], rows[0].Value)
			}
		}
	})
}

// loggedAgain checks that a row is logged as the record that said it.
func loggedAgain(t *testing.T, d *decl.Store, want *layout.Entry, key, value []byte) {
	t.Helper()
	f := layout.Of(d)
	if d.Kind == decl.Versioned {
		putAgain(t, want, key, value)
		return
	}
	got, ok := f.Record(&record.Arena{}, key, value, value != nil, want.Time)
	if d.Kind == decl.Held && want.Value != nil { // its last bytes mean nothing
		n := len(want.Value) - layout.TimeLen
		want = &layout.Entry{Key: want.Key, Value: append(bytes.Clone(want.Value[:n]), make([]byte, layout.TimeLen)...), Time: want.Time}
	}
	if !ok || !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
		t.Fatalf("%v: %x = %x came back as %x = %x, %v", d.Kind, want.Key, want.Value, got.Key, got.Value, ok)
	}
	waits := d.Kind == decl.Suppressed || d.Kind == decl.Held // the time of their rows is in the value
	if !waits && got.Time != want.Time {
		t.Fatalf("%v: the time %d came back as %d", d.Kind, want.Time, got.Time)
	}
	headers := got.Headers
	if keeps := d.Headers || d.Duplicates; keeps && value != nil && !slices.EqualFunc(headers, want.Headers, func(a, b record.Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	}) {
		t.Fatalf("%v: the headers %q came back as %q", d.Kind, want.Headers, headers)
	}
}

// putAgain checks that the row of a version says the record of its put, which is logged when it is put.
func putAgain(t *testing.T, want *layout.Entry, row, value []byte) {
	t.Helper()
	key, at, ok := layout.Version(row)
	value, flags, err := layout.VersionFlags(value)
	if !ok || err != nil || !bytes.Equal(key, want.Key) || at != want.Time || (flags&layout.Deleted != 0) != (want.Value == nil) ||
		!bytes.Equal(value[layout.TimeLen:], want.Value) {
		t.Fatalf("a put of %x = %x at %d is the row %x = %x", want.Key, want.Value, want.Time, row, value)
	}
}

// FuzzRows: keys and values of rows are refused, or are what their parts are put together to.
func FuzzRows(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x05key\x00\x00\x00\x01"))
	f.Add([]byte("w\x80\x00\x00\x00\x00\x00\x00\x05key"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01key\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x01\x02"))
	f.Add(layout.AppendVersion([]byte("key"), 5))
	f.Add(layout.AppendSidedHead(nil, 3, -1))
	f.Fuzz(func(t *testing.T, row []byte) {
		same := func(what string, again []byte) {
			t.Helper()
			if !bytes.Equal(again, row) {
				t.Fatalf("%s: %x came back as %x", what, row, again)
			}
		}
		if at, key, sequence, ok := layout.SplitHeld(row); ok {
			same("held", layout.AppendHeld(nil, at, func(dst []byte) []byte { return append(dst, key...) }, sequence))
		}
		if until, key, ok := layout.SplitWaitingIndex(row); ok {
			same("index of a suppress buffer", append(layout.AppendWaitingIndex(nil, until), key...))
		}
		if key, at, ok := layout.Version(row); ok {
			same("version", layout.AppendVersion(bytes.Clone(key), at))
		}
		if value, flags, err := layout.VersionFlags(row); err == nil {
			same("value of a version", append(bytes.Clone(value), flags))
		}
		if number, key, ok := layout.SplitSided(row); ok {
			same("what to forget", append(layout.AppendSided(nil, row[0], number), key...))
		}
		if number, count, err := layout.SplitSidedHead(row); err == nil {
			same("head", layout.AppendSidedHead(nil, number, count))
		}
		if key, start, number, ok := layout.SplitDuplicate(row); ok {
			again := append(layout.AppendTime(nil, int64(0)), key...)
			again = layout.AppendTime(again, start)
			same("duplicate", append(append(row[:8:8], again[8:]...), byte(number>>24), byte(number>>16), byte(number>>8), byte(number)))
		}
	})
}
