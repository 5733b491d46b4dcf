package serde_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/serde"
)

// decodes fuzzes the decoder of s.
func decodes[T any](f *testing.F, s serde.Serde[T], exact bool, seeds ...string) {
	fuzz(f, reads(s, exact), seeds...)
}

func fuzz(f *testing.F, check func(*testing.T, []byte), seeds ...string) {
	f.Add([]byte{})
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(check)
}

// reads: no input makes the decoder of s panic, its errors name the package, and what it reads is read again from what it
// writes. exact: it writes the very bytes it read.
func reads[T any](s serde.Serde[T], exact bool) func(*testing.T, []byte) {
	return func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		v, err := s.Decode(src)
		if !bytes.Equal(src, before) {
			t.Fatalf("%T: Decode changed its source from %x to %x", v, before, src)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "serde: ") {
				t.Errorf("error without package: %v", err)
			}
			return
		}
		first, err := s.Append([]byte{}, v)
		if err != nil {
			t.Fatalf("%x was read as %T %v, which cannot be written: %v", src, v, v, err)
		}
		if exact && !bytes.Equal(first, src) {
			t.Fatalf("%x was read as %T %v and written as %x", src, v, v, first)
		}
		again, err := s.Decode(first)
		if err != nil {
			t.Fatalf("%x was written as %x and not read again as %T: %v", src, first, v, err)
		}
		if second, err := s.Append([]byte{}, again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%T: %x, then %x (%v)", v, first, second, err)
		}
	}
}

// FuzzScalars reads each input as every type of a few bytes.
func FuzzScalars(f *testing.F) {
	checks := []func(*testing.T, []byte){
		reads(serde.String, true), reads(serde.Bytes, true), reads(serde.Void, true), reads(serde.Bool, true),
		reads(serde.Int16, true), reads(serde.Int32, true), reads(serde.Int64, true), reads(serde.Float32, false), reads(serde.Float64, false),
		reads(serde.Nullable(serde.Int16), true), reads(serde.Func(serde.Int32.Append, serde.Int32.Decode), true),
	}
	fuzz(f, func(t *testing.T, src []byte) {
		for _, check := range checks {
			check(t, src)
		}
	}, "\x00", "\x01", "\x02", "\xff", "\x01\x02", "\x01\x02\x03\x04", "\x01\x02\x03\x04\x05\x06\x07\x08",
		"\x7f\xc0\x00\x01", "\x00\x00\x00\x01", "\x7f\xf0\x00\x00\x00\x00\x00\x01", "\x80\x00\x00\x00\x00\x00\x00\x00")
}

func FuzzUUID(f *testing.F) {
	decodes(f, serde.UUID, false, "01234567-89ab-cdef-fedc-ba9876543210", "01234567-89AB-CDEF-FEDC-BA987654321X")
}
func FuzzJSON(f *testing.F) {
	type inner struct {
		Name  string
		Tags  []string
		Sizes map[string]float64
		Next  *inner
	}
	decodes(f, serde.JSON[inner](), false, `{"Name":"a","Tags":["b"],"Sizes":{"c":1e9},"Next":{}}`, `null`, `{"Name":`)
}

func FuzzBinary(f *testing.F) {
	decodes(f, serde.Binary[netip.Addr](), true, "\xc0\x00\x02\x07", "0123456789abcdef", "0123456789abcdefzone")
}

func FuzzConvert(f *testing.F) {
	upper := func(s string) (string, error) { return strings.ToUpper(s), nil }
	lower := func(s string) (string, error) { return strings.ToLower(s), nil }
	decodes(f, serde.Convert(serde.String, upper, lower), false, "Text")
}

func FuzzList(f *testing.F) {
	decodes(f, serde.List(serde.List(serde.String)), true, "\x00\x00\x00\x00",
		"\x00\x00\x00\x01\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x01a", "\x7f\xff\xff\xff\x00\x00\x00\x00", "\xff\xff\xff\xff")
}

func FuzzListOfNullable(f *testing.F) {
	decodes(f, serde.List(serde.Nullable(serde.Bool)), true, "\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x01\x01")
}
