package layout_test

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
)

//go:embed testdata/keys.tsv
var kafkaKeys string

// stretches are declarations of all forms of rows.
var stretches = map[string][]*decl.Store{
	"window": {
		{Kind: decl.Window, Retention: time.Hour},
		{Kind: decl.Window, Retention: time.Hour, ByTime: true},
		{Kind: decl.Window, Retention: time.Hour, Advance: time.Second},
	},
	"session": {
		{Kind: decl.Session, Retention: time.Hour},
		{Kind: decl.Session, Retention: time.Hour, ByTime: true, Segment: time.Second},
	},
}

// rowOf returns the row of the store's own keys for a window or session.
func rowOf(d *decl.Store, k string, start, end int64) (row, index []byte) {
	if d.Kind == decl.Session {
		f := layout.NewSessionKeys(d)
		return f.Tail(append(f.Head(nil, end), k...), start, end), append(f.IndexHead(nil, start, end), k...)
	}
	f := layout.NewWindowKeys(d)
	return f.Tail(append(f.Head(nil, start), k...), start), append(f.IndexHead(nil, start), k...)
}

func TestChangelogKeysOfWindowsAndSessionsAreThoseOfKafkaStreams(t *testing.T) {
	n := 0
	for line := range strings.Lines(kafkaKeys) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		start, _ := strconv.ParseInt(f[2], 10, 64)
		end, _ := strconv.ParseInt(f[3], 10, 64)
		key, err := hex.DecodeString(f[4])
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range stretches[f[0]] {
			n++
			row, index := rowOf(d, f[1], start, end)
			format, w := layout.Of(d), layout.NewWriter([]byte("PP"))
			for _, value := range [][]byte{[]byte("value"), nil} {
				var a record.Arena
				e, ok := format.Record(&a, row, append(layout.AppendTime(nil, 7), value...), value != nil, 9)
				if at := map[bool]int64{true: 7, false: 9}[value != nil]; !ok || !bytes.Equal(e.Key, key) || !bytes.Equal(e.Value, value) || e.Time != at {
					t.Errorf("%s%+v: the row is logged as %x = %q @ %d, want %x", line, d, e.Key, e.Value, e.Time, key)
				}
				w.Reset()
				format.Rows(w, &layout.Entry{Key: key, Value: value, Time: 7})
				rows := w.Rows()
				if w.Err() != nil || !bytes.Equal(rows[0].Key[2:], row) || (rows[0].Value == nil) != (value == nil) || len(rows) != 1+map[bool]int{d.ByTime: 1}[true] {
					t.Errorf("%s%+v: the record says %x, %v; want %x", line, d, rows, w.Err(), row)
				}
				if d.ByTime && (!bytes.Equal(rows[1].Key[2:], index) || (rows[1].Value == nil) != (value == nil)) {
					t.Errorf("%s%+v: the index row is %x, want %x", line, d, rows[1], index)
				}
			}
		}
	}
	if n != 16*3+16*2 {
		t.Errorf("%d comparisons", n)
	}
}

func TestIndexRowsAreNotLogged(t *testing.T) {
	for _, ds := range stretches {
		for _, d := range ds {
			_, index := rowOf(d, "key", 5, 6)
			if e, ok := layout.Of(d).Record(&record.Arena{}, index, layout.Indexed[:], true, 1); ok && d.ByTime {
				t.Errorf("%+v: the index is logged as %x", d, e.Key)
			}
		}
	}
}

func TestRecordsThatNoWindowOrSessionStoreWroteAreRefused(t *testing.T) {
	negative := bytes.Repeat([]byte{0xff}, 8)
	for _, c := range []struct {
		kind, want string
		key        []byte
	}{
		{"window", "a key of 11 bytes, want at least 12", make([]byte, 11)},
		{"window", "starts before 1970, at -1 ms", append(negative, 0, 0, 0, 0)},
		{"window", "a sequence number", append(make([]byte, 11), 1)},
		{"session", "a key of 15 bytes, want at least 16", make([]byte, 15)},
		{"session", "from 1 to 0 ms", append(make([]byte, 15), 1)},
	} {
		for _, d := range stretches[c.kind] {
			w := layout.NewWriter(nil)
			layout.Of(d).Rows(w, &layout.Entry{Key: c.key, Value: []byte{}})
			if err := w.Err(); err == nil || !strings.Contains(err.Error(), c.want) || len(w.Rows()) != 0 {
				t.Errorf("%x: %v, %d rows; want an error with %q", c.key, err, len(w.Rows()), c.want)
			}
			if w.Reset(); w.Err() != nil {
				t.Error("the error outlives Reset")
			}
		}
	}
}

func TestSegmentsAreHalfTheRetentionAndAtLeastAMinute(t *testing.T) {
	for want, d := range map[int64]*decl.Store{
		60_000:    {Retention: time.Second},
		1_800_000: {Retention: time.Hour},
		500:       {Retention: time.Hour, Segment: 500 * time.Millisecond},
	} {
		if got := layout.Segment(d); got != want {
			t.Errorf("segment of %+v is %d ms, want %d", d, got, want)
		}
	}
}

// FuzzChangelogOfWindows: what a record says is logged as that record again.
func FuzzChangelogOfWindows(f *testing.F) {
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00"), []byte("v"))
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x05"), []byte("v"))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		for _, ds := range stretches {
			for _, d := range ds {
				format, w := layout.Of(d), layout.NewWriter([]byte("PP"))
				in := layout.Entry{Key: key, Value: append([]byte{}, value...), Time: 7}
				format.Rows(w, &in)
				rows := w.Rows()
				if w.Err() != nil {
					if len(rows) != 0 {
						t.Fatalf("%x: rows beside the error %v", key, w.Err())
					}
					continue
				}
				e, ok := format.Record(&record.Arena{}, rows[0].Key[2:], rows[0].Value, true, 1)
				if got, want := fmt.Sprintf("%x=%x@%d", e.Key, e.Value, e.Time), fmt.Sprintf("%x=%x@7", key, value); !ok || got != want {
					t.Fatalf("%s comes back as %s", want, got)
				}
			}
		}
	})
}

// FuzzRowsOfWindows: no bytes of a row are too strange to be taken apart, or refused.
func FuzzRowsOfWindows(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00key\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x05"))
	f.Add([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x05key"))
	f.Fuzz(func(t *testing.T, row []byte) {
		for _, ds := range stretches {
			for _, d := range ds {
				if d.Kind == decl.Session {
					keys := layout.NewSessionKeys(d)
					k, start, end, err := keys.Split(row)
					if err == nil && layout.IsIndex(row) && !bytes.Equal(append(keys.IndexHead(nil, start, end), k...), row) {
						t.Fatalf("%x is taken apart into %x, %d, %d", row, k, start, end)
					}
					continue
				}
				keys := layout.NewWindowKeys(d)
				k, start, err := keys.Split(row)
				if err == nil && layout.IsIndex(row) && !bytes.Equal(append(keys.IndexHead(nil, start), k...), row) {
					t.Fatalf("%x is taken apart into %x, %d", row, k, start)
				}
			}
		}
	})
}
