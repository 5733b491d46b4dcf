package layout_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
)

func duplicates() layout.Format {
	return layout.Of(&decl.Store{Name: "s", Kind: decl.Window, Duplicates: true, Retention: time.Second})
}

// The bytes are those of Kafka Streams' window stores with duplicates: key, start, number.
func TestRowsOfDuplicatesAreLoggedAsKafkaStreamsDoes(t *testing.T) {
	for _, c := range []struct{ key, segment string }{
		{"00000000000000ff00000102", "0000000000000000"},       // no key, start 255, number 258
		{"6b65790000018bcfe5680000000001", "0000000001b05515"}, // key, 1700000000000, 1
		{"e28885000000000000000500000000", "0000000000000000"}, // ∅, 5, 0
		{"61000000000000ea6000000002", "0000000000000001"},     // a, a minute, 2
	} {
		key, err := hex.DecodeString(c.key)
		if err != nil {
			t.Fatal(err)
		}
		e := layout.Entry{Key: key, Value: []byte("v"), Time: 9, Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "n"}, {Key: "", Value: []byte{}}}}
		w := layout.NewWriter([]byte("PP"))
		duplicates().Rows(w, &e)
		rows := w.Rows()
		if err := w.Err(); err != nil || len(rows) != 1 {
			t.Fatalf("%s: %d rows, %v", c.key, len(rows), err)
		}
		if got := hex.EncodeToString(rows[0].Key[2:10]); got != c.segment {
			t.Errorf("%s: segment %s, want %s", c.key, got, c.segment)
		}
		var a record.Arena
		back, ok := duplicates().Record(&a, rows[0].Key[2:], rows[0].Value, true, 77)
		if !ok || fmt.Sprintf("%v", back) != fmt.Sprintf("%v", e) {
			t.Errorf("row is logged as %v, want %v", back, e)
		}
		if back.Headers[1].Value != nil || back.Headers[2].Value == nil {
			t.Errorf("headers %q: null and empty are told apart", back.Headers)
		}
		k, start, number, ok := layout.SplitDuplicate(rows[0].Key[2:])
		if again := fmt.Sprintf("%x%016x%08x", k, start, number); !ok || again != c.key {
			t.Errorf("%s is split into %s", c.key, again)
		}
	}
}

func TestDuplicatesWithoutAValueStoreNothingAndRemoveNothing(t *testing.T) {
	w := layout.NewWriter([]byte("PP"))
	duplicates().Rows(w, &layout.Entry{Key: make([]byte, 13)})
	if rows := w.Rows(); len(rows) != 0 || w.Err() != nil {
		t.Errorf("rows %q, error %v", rows, w.Err())
	}
	var a record.Arena
	if e, ok := duplicates().Record(&a, make([]byte, 21), nil, false, 7); ok {
		t.Errorf("a row that expired is logged as %v", e)
	}
}

func TestRecordsThatAreNoDuplicatesAreRefused(t *testing.T) {
	for _, key := range []string{"", "00000000000000ff000001", "ff000000000000ff00000102"} {
		b, _ := hex.DecodeString(key)
		w := layout.NewWriter([]byte("PP"))
		duplicates().Rows(w, &layout.Entry{Key: b, Value: []byte("v")})
		if w.Err() == nil || len(w.Rows()) != 0 {
			t.Errorf("%s: rows %q, error %v", key, w.Rows(), w.Err())
		}
	}
	if _, _, _, ok := layout.SplitDuplicate(make([]byte, 19)); ok {
		t.Error("a key of 19 bytes is split")
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 'v'})
	f.Add(layout.AppendHeaders(nil, []record.Header{{Key: "a", Value: []byte("1")}, {Key: "n"}}))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		headers, rest, err := layout.Headers(slices.Clone(b))
		skipped, err2 := layout.SkipHeaders(b)
		if (err == nil) != (err2 == nil) || !bytes.Equal(rest, skipped) {
			t.Fatalf("Headers leaves %x (%v), SkipHeaders %x (%v)", rest, err, skipped, err2)
		}
		if err != nil {
			return
		}
		again, rest2, err := layout.Headers(append(layout.AppendHeaders(nil, headers), rest...))
		if err != nil || fmt.Sprintf("%q", again) != fmt.Sprintf("%q", headers) || !bytes.Equal(rest, rest2) {
			t.Errorf("%q came back as %q, %v", headers, again, err)
		}
	})
}
