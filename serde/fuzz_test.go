package serde_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/serde"
)

// decodes fuzzes the decoder of s: no input makes it panic, its errors name the package, and what it reads is read again
// from what it writes. exact: it writes the very bytes it read.
func decodes[T any](f *testing.F, s serde.Serde[T], exact bool, seeds ...string) {
	f.Add([]byte{})
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		v, err := s.Decode(src)
		if !bytes.Equal(src, before) {
			t.Fatalf("Decode changed its source from %x to %x", before, src)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "serde: ") {
				t.Errorf("error without package: %v", err)
			}
			return
		}
		first, err := s.Append([]byte{}, v)
		if err != nil {
			t.Fatalf("%x was read as %v, which cannot be written: %v", src, v, err)
		}
		if exact && !bytes.Equal(first, src) {
			t.Fatalf("%x was read as %v and written as %x", src, v, first)
		}
		again, err := s.Decode(first)
		if err != nil {
			t.Fatalf("%x was written as %x and not read again: %v", src, first, err)
		}
		if second, err := s.Append([]byte{}, again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x, then %x (%v)", first, second, err)
		}
	})
}

func FuzzString(f *testing.F) { decodes(f, serde.String, true, "text", "\xff") }
func FuzzBytes(f *testing.F)  { decodes(f, serde.Bytes, true, "bytes") }
func FuzzInt16(f *testing.F)  { decodes(f, serde.Int16, true, "\x01\x02") }
func FuzzInt32(f *testing.F)  { decodes(f, serde.Int32, true, "\x01\x02\x03\x04") }
func FuzzInt64(f *testing.F)  { decodes(f, serde.Int64, true, "\x01\x02\x03\x04\x05\x06\x07\x08") }
func FuzzFloat32(f *testing.F) {
	decodes(f, serde.Float32, false, "\x7f\xc0\x00\x01", "\x00\x00\x00\x01")
}
func FuzzFloat64(f *testing.F) {
	decodes(f, serde.Float64, false, "\x7f\xf0\x00\x00\x00\x00\x00\x01", "\x80\x00\x00\x00\x00\x00\x00\x00")
}
func FuzzBool(f *testing.F) { decodes(f, serde.Bool, true, "\x00", "\x01", "\x02") }
func FuzzUUID(f *testing.F) {
	decodes(f, serde.UUID, false, "01234567-89ab-cdef-fedc-ba9876543210", "01234567-89AB-CDEF-FEDC-BA987654321X")
}
func FuzzVoid(f *testing.F) { decodes(f, serde.Void, true, "x") }

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

func FuzzFunc(f *testing.F) {
	decodes(f, serde.Func(serde.Int32.Append, serde.Int32.Decode), true, "\x01\x02\x03\x04")
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

func FuzzNullable(f *testing.F) { decodes(f, serde.Nullable(serde.Int16), true, "\x01\x02") }
