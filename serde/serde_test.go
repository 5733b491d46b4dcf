package serde_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/serde"
)

func TestDecodeSaysWhatWasExpectedAndWhatCame(t *testing.T) {
	long := []byte("12345")
	list := serde.List(serde.Int64)
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"int16", "serde: int16 wants 2 bytes, got 5", fails(serde.Int16, long)},
		{"int32", "serde: int32 wants 4 bytes, got 5", fails(serde.Int32, long)},
		{"int64", "serde: int64 wants 8 bytes, got 5", fails(serde.Int64, long)},
		{"float32", "serde: float32 wants 4 bytes, got 5", fails(serde.Float32, long)},
		{"float64", "serde: float64 wants 8 bytes, got 5", fails(serde.Float64, long)},
		{"bool", "serde: bool wants 1 byte, got 5", fails(serde.Bool, long)},
		{"bool, other byte", "serde: bool wants byte 0 or 1, got 2", fails(serde.Bool, []byte{2})},
		{"uuid", "serde: uuid wants 36 characters, got 5 bytes", fails(serde.UUID, long)},
		{"uuid, too long", "serde: uuid wants 36 characters, got 37 bytes", fails(serde.UUID, []byte("01234567-89ab-cdef-fedc-ba98765432100"))},
		{"uuid, no dash", "serde: uuid wants '-' as character 14, got '0'", fails(serde.UUID, []byte("01234567-89ab0cdef-fedc-ba9876543210"))},
		{"uuid, no digit", `serde: uuid wants hexadecimal digits, got "01234567-89ab-cdef-fedc-ba987654321x"`, fails(serde.UUID, []byte("01234567-89ab-cdef-fedc-ba987654321x"))},
		{"void", "serde: void wants null, got 5 bytes", fails(serde.Void, long)},
		{"json", "serde: read serde_test.order from 5 bytes of JSON: json: cannot unmarshal number into Go value of type serde_test.order", fails(serde.JSON[order](), long)},
		{"binary", "serde: read netip.Addr from 5 bytes: unexpected slice size", fails(serde.Binary[netip.Addr](), long)},
		{"list, no count", "serde: list wants at least 4 bytes, got 3", fails(list, []byte{0, 0, 0})},
		{"list, negative count", "serde: list wants a count of 0 or more, got -1", fails(list, []byte{255, 255, 255, 255})},
		{"list, impossible count", "serde: list counts 2 elements, but 8 bytes hold at most 1", fails(list, []byte{0, 0, 0, 2, 0, 0, 0, 0})},
		{"list, cut element", "serde: list element 1 of 1 wants a length from 0 to 1, got 8", fails(list, []byte{0, 0, 0, 1, 0, 0, 0, 8, 0})},
		{"list, cut length", "serde: list element 2 of 2 wants a length of 4 bytes, got 1", fails(serde.List(serde.String), []byte{0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0})},
		{"list, null element", "serde: list element 1 of 1 wants a length from 0 to 0, got -1", fails(list, []byte{0, 0, 0, 1, 255, 255, 255, 255})},
		{"list, negative length", "serde: list element 1 of 1 wants a length from 0 to 0, got -2", fails(serde.List(serde.Nullable(serde.Int64)), []byte{0, 0, 0, 1, 255, 255, 255, 254})},
		{"list, wrong element", "serde: list element 1 of 1: serde: int64 wants 8 bytes, got 1", fails(list, []byte{0, 0, 0, 1, 0, 0, 0, 1, 0})},
		{"list, bytes left over", "serde: list of 0 elements wants 4 bytes, got 5", fails(list, []byte{0, 0, 0, 0, 0})},
		{"nullable", "serde: int64 wants 8 bytes, got 0", fails(serde.Nullable(serde.Int64), []byte{})},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, c.err, c.want)
		}
	}
}

func fails[T any](s serde.Serde[T], src []byte) error {
	_, err := s.Decode(src)
	return err
}

type order struct {
	ID    string
	Cents int64
}

func TestBadListIsRefusedWithoutAllocatingForItsElements(t *testing.T) {
	type wide struct{ _ [1 << 17]byte }
	s := serde.List(serde.Func(nil, func([]byte) (wide, error) { return wide{}, errors.New("no such element") }))
	impossible := binary.BigEndian.AppendUint32(nil, math.MaxInt32)
	possible := append(binary.BigEndian.AppendUint32(nil, 1000), make([]byte, 4000)...)
	for name, c := range map[string]struct {
		src   []byte
		limit int64
	}{
		"impossible count":               {append(impossible, 1, 2, 3, 4, 5), 64 << 10},
		"possible count, first is wrong": {possible, 1 << 20}, // a few elements: the one read, not a thousand
	} {
		if n := bytesAllocated(func() { _, _ = s.Decode(c.src) }); n > c.limit {
			t.Errorf("%s: %d bytes allocated to refuse a list", name, n)
		}
	}
}

// bytesAllocated returns the bytes allocated by f; no other test runs beside.
func bytesAllocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestLongListIsReadWhole(t *testing.T) {
	want := make([]int64, 5000)
	for i := range want {
		want[i] = int64(i)
	}
	s := serde.List(serde.Int64)
	src, err := s.Append(nil, want)
	if err != nil || len(src) != 4+5000*12 {
		t.Fatalf("%d bytes, %v", len(src), err)
	}
	if got, err := s.Decode(src); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d elements, %v", len(got), err)
	}
}

func TestAppendOfBuiltinsDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 64)
	value := []byte("value")
	for name, f := range map[string]func() ([]byte, error){
		"string":  func() ([]byte, error) { return serde.String.Append(dst, "text") },
		"bytes":   func() ([]byte, error) { return serde.Bytes.Append(dst, value) },
		"int16":   func() ([]byte, error) { return serde.Int16.Append(dst, 7) },
		"int32":   func() ([]byte, error) { return serde.Int32.Append(dst, 7) },
		"int64":   func() ([]byte, error) { return serde.Int64.Append(dst, 7) },
		"float32": func() ([]byte, error) { return serde.Float32.Append(dst, 7) },
		"float64": func() ([]byte, error) { return serde.Float64.Append(dst, 7) },
		"bool":    func() ([]byte, error) { return serde.Bool.Append(dst, true) },
		"uuid":    func() ([]byte, error) { return serde.UUID.Append(dst, [16]byte{1}) },
		"void":    func() ([]byte, error) { return serde.Void.Append(dst, struct{}{}) },
	} {
		if n := testing.AllocsPerRun(100, func() { sink, _ = f() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

var sink []byte

func TestBytesAreNotCopiedAndCannotGrowIntoTheirNeighbour(t *testing.T) {
	buffer := []byte("onetwo")
	var v []byte
	if n := testing.AllocsPerRun(100, func() { v, _ = serde.Bytes.Decode(buffer[:3]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if &v[0] != &buffer[0] {
		t.Error("copied")
	}
	if _ = append(v, "!!!"...); string(buffer) != "onetwo" {
		t.Errorf("an append to the value wrote over what follows it: %q", buffer)
	}
}

func TestStringDoesNotKeepItsSource(t *testing.T) {
	src := []byte("text")
	v, _ := serde.String.Decode(src)
	src[0] = 'n'
	if v != "text" {
		t.Errorf("value changed to %q", v)
	}
}

func TestEmptyIsNotNull(t *testing.T) {
	empty, err := serde.Nullable(serde.String).Decode([]byte{})
	if err != nil || empty == nil || *empty != "" {
		t.Errorf("empty bytes: %v, %v", empty, err)
	}
	null, err := serde.Nullable(serde.String).Decode(nil)
	if err != nil || null != nil {
		t.Errorf("null: %v, %v", null, err)
	}
	if b, err := serde.Bytes.Append([]byte{}, nil); b == nil || err != nil {
		t.Errorf("nil slice: %v, %v", b, err)
	}
	if _, ok := serde.Bytes.(serde.Nuller[[]byte]); ok {
		t.Error("Bytes writes nil as null")
	}
}

func TestNullableOfNullableIsNullAtEitherLevel(t *testing.T) {
	var inner *string
	s := serde.Nullable(serde.Nullable(serde.String)).(serde.Nuller[**string])
	text := "text"
	some := &text
	if !s.IsNull(nil) || !s.IsNull(&inner) || s.IsNull(&some) {
		t.Error(s.IsNull(nil), s.IsNull(&inner), s.IsNull(&some))
	}
}

func TestNilOfNullableHasNoBytes(t *testing.T) {
	if _, err := serde.Nullable(serde.String).Append(nil, nil); err == nil || !strings.Contains(err.Error(), "IsNull") {
		t.Errorf("error %v", err)
	}
}

func TestConvertIsANullerExactlyIfItsInnerSerdeIs(t *testing.T) {
	decode := func(s *string) (string, error) {
		if s == nil {
			return "none", nil
		}
		return *s, nil
	}
	encode := func(s string) (*string, error) {
		switch s {
		case "none":
			return nil, nil
		case "bad":
			return nil, errors.New("bad text")
		}
		return &s, nil
	}
	s := serde.Convert(serde.Nullable(serde.String), decode, encode)
	n, ok := s.(serde.Nuller[string])
	if !ok || !n.IsNull("none") || n.IsNull("some") || n.IsNull("bad") {
		t.Errorf("not a Nuller of \"none\" alone (%v)", ok)
	}
	if v, err := s.Decode(nil); v != "none" || err != nil {
		t.Errorf("null is read as %q, %v", v, err)
	}
	if _, err := s.Append(nil, "bad"); err == nil || err.Error() != "serde: write string as *string: bad text" {
		t.Errorf("error %v", err)
	}
	if serde.Convert(serde.Nullable(serde.String), decode, nil).(serde.Nuller[string]).IsNull("none") {
		t.Error("null without a function to tell")
	}
	plain := serde.Convert(serde.String, func(s string) (string, error) { return s, nil }, func(s string) (string, error) { return s, nil })
	if _, ok := plain.(serde.Nuller[string]); ok {
		t.Error("Convert of String claims to write nulls")
	}
}

func TestListKeepsNullElements(t *testing.T) {
	s := serde.List(serde.Nullable(serde.String))
	a := "a"
	src, err := s.Append(nil, []*string{&a, nil})
	if err != nil || !bytes.Equal(src, []byte{0, 0, 0, 2, 0, 0, 0, 1, 'a', 255, 255, 255, 255}) {
		t.Fatalf("%x, %v", src, err)
	}
	if v, err := s.Decode(src); err != nil || len(v) != 2 || *v[0] != "a" || v[1] != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestErrorsOfUserFunctionsAreKeptAndNamed(t *testing.T) {
	bad := errors.New("bad")
	decode := func(string) (*url.URL, error) { return nil, bad }
	encode := func(*url.URL) (string, error) { return "", bad }
	s := serde.Convert(serde.String, decode, encode)
	_, err := s.Decode([]byte("x"))
	if !errors.Is(err, bad) || err.Error() != "serde: read *url.URL from string: bad" {
		t.Errorf("Decode: %v", err)
	}
	_, err = s.Append(nil, nil)
	if !errors.Is(err, bad) || err.Error() != "serde: write *url.URL as string: bad" {
		t.Errorf("Append: %v", err)
	}
	_, err = serde.List(s).Append(nil, []*url.URL{nil})
	if !errors.Is(err, bad) || err.Error() != "serde: list element 1 of 1: serde: write *url.URL as string: bad" {
		t.Errorf("List: %v", err)
	}
	if err := fails(serde.Convert(serde.Int64, func(int64) (int, error) { return 0, nil }, nil), nil); err == nil || err.Error() != "serde: int64 wants 8 bytes, got 0" {
		t.Errorf("inner serde: %v", err)
	}
	_, err = serde.JSON[func()]().Append(nil, func() {})
	if err == nil || err.Error() != "serde: write func() as JSON: json: unsupported type: func()" {
		t.Errorf("JSON: %v", err)
	}
	_, err = serde.Binary[stubborn]().Append(nil, 0)
	if !errors.Is(err, errStubborn) || err.Error() != "serde: write serde_test.stubborn: will not" {
		t.Errorf("Binary: %v", err)
	}
	_, err = serde.Binary[stubbornAppender]().Append(nil, stubbornAppender{1})
	if !errors.Is(err, errStubborn) || err.Error() != "serde: write serde_test.stubbornAppender: will not" {
		t.Errorf("Binary: %v", err)
	}
}

func TestBinaryNeedsNoAppendBinary(t *testing.T) {
	b, err := serde.Binary[stubborn]().Append([]byte("a"), 'b')
	if err != nil || string(b) != "ab" {
		t.Errorf("%q, %v", b, err)
	}
}

// stubborn refuses to write 0.
type stubborn byte

var errStubborn = errors.New("will not")

func (s stubborn) MarshalBinary() ([]byte, error) {
	if s == 0 {
		return nil, errStubborn
	}
	return []byte{byte(s)}, nil
}

func (s *stubborn) UnmarshalBinary([]byte) error { return nil }

type stubbornAppender struct{ stubborn }

func (stubbornAppender) AppendBinary([]byte) ([]byte, error) { return nil, errStubborn }

func TestMissingDirectionFails(t *testing.T) {
	f := serde.Func[int](nil, nil)
	c := serde.Convert[string, int](serde.String, nil, nil)
	for _, s := range []serde.Serde[int]{f, c} {
		if _, err := s.Append(nil, 1); err == nil || err.Error() != "serde: write int: no function was given for this direction" {
			t.Errorf("Append: %v", err)
		}
		if err := fails(s, nil); err == nil || err.Error() != "serde: read int: no function was given for this direction" {
			t.Errorf("Decode: %v", err)
		}
	}
}

// registry is a serde that writes what it was bound to.
type registry struct{ bound string }

func (r registry) Append(dst []byte, v string) ([]byte, error) {
	return append(dst, r.bound+" "+v...), nil
}
func (r registry) Decode(src []byte) (string, error) { return r.bound + " " + string(src), nil }
func (r registry) ForTopic(topic string, part serde.Part) serde.Serde[string] {
	return registry{fmt.Sprint(topic, " ", part)}
}

func TestSerdesMadeOfOthersBindTheOneInside(t *testing.T) {
	text := "v"
	same := func(s string) (string, error) { return s, nil }
	check(t, "Convert", serde.Convert[string, string](registry{}, same, same), "v", "orders key v")
	check(t, "Nullable", serde.Nullable[string](registry{}), &text, "orders key v")
	check(t, "List", serde.List[string](registry{}), []string{"v"}, "\x00\x00\x00\x01\x00\x00\x00\x0corders key v")
	check(t, "all", serde.List(serde.Nullable(serde.Convert[string, string](registry{}, same, same))), []*string{&text}, "\x00\x00\x00\x01\x00\x00\x00\x0corders key v")
	check(t, "unbound", serde.List(serde.String), []string{"v"}, "\x00\x00\x00\x01\x00\x00\x00\x01v")
}

func check[T any](t *testing.T, name string, s serde.Serde[T], v T, want string) {
	t.Helper()
	got, err := s.(serde.Bound[T]).ForTopic("orders", serde.Key).Append(nil, v)
	if err != nil || string(got) != want {
		t.Errorf("%s: %q, %v; want %q", name, got, err, want)
	}
}

func TestOfKnowsTheBuiltInTypesAndNoOther(t *testing.T) {
	knows(t, serde.String)
	knows(t, serde.Bytes)
	knows(t, serde.Int16)
	knows(t, serde.Int32)
	knows(t, serde.Int64)
	knows(t, serde.Float32)
	knows(t, serde.Float64)
	knows(t, serde.Bool)
	knows(t, serde.UUID)
	knows(t, serde.Void)
	type id string
	if s, ok := serde.Of[id](); ok || s != nil {
		t.Error("a defined type has a serde")
	}
	if _, ok := serde.Of[int](); ok {
		t.Error("int has a serde")
	}
	if _, ok := serde.Of[any](); ok {
		t.Error("any has a serde")
	}
}

func knows[T any](t *testing.T, want serde.Serde[T]) {
	t.Helper()
	if got, ok := serde.Of[T](); !ok || got != want {
		t.Errorf("Of[%T] = %v, %v", *new(T), got, ok)
	}
}
