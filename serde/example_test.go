package serde_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/millrace-streams/millrace/serde"
)

// Writing and reading is the identity, and the bytes are Kafka's.
func Example() {
	b, _ := serde.Int64.Append(nil, 258)
	v, err := serde.Int64.Decode(b)
	fmt.Printf("%x %d %v\n", b, v, err)
	_, err = serde.Int64.Decode(b[:5])
	fmt.Println(err)
	// Output:
	// 0000000000000102 258 <nil>
	// serde: int64 wants 8 bytes, got 5
}

func ExampleOf() {
	s, ok := serde.Of[string]()
	fmt.Println(s == serde.String, ok)
	_, ok = serde.Of[time.Time]()
	fmt.Println(ok)
	// Output:
	// true true
	// false
}

func ExampleJSON() {
	type Order struct {
		Customer string
		Cents    int64
	}
	orders := serde.JSON[Order]()
	b, _ := orders.Append(nil, Order{"ada", 1200})
	fmt.Println(string(b))
	o, err := orders.Decode(b)
	fmt.Println(o.Customer, err)
	// Output:
	// {"Customer":"ada","Cents":1200}
	// ada <nil>
}

func ExampleBinary() {
	hosts := serde.Binary[netip.Addr]()
	b, _ := hosts.Append(nil, netip.MustParseAddr("192.0.2.7"))
	addr, err := hosts.Decode(b)
	fmt.Printf("%x %v %v\n", b, addr, err)
	// Output: c0000207 192.0.2.7 <nil>
}

func ExampleFunc() {
	type Point struct{ X, Y int32 }
	points := serde.Func(
		func(dst []byte, p Point) ([]byte, error) {
			dst = binary.BigEndian.AppendUint32(dst, uint32(p.X))
			return binary.BigEndian.AppendUint32(dst, uint32(p.Y)), nil
		},
		func(src []byte) (Point, error) {
			if len(src) != 8 {
				return Point{}, errors.New("a point has 8 bytes")
			}
			return Point{int32(binary.BigEndian.Uint32(src)), int32(binary.BigEndian.Uint32(src[4:]))}, nil
		})
	b, _ := points.Append(nil, Point{1, 2})
	p, err := points.Decode(b)
	fmt.Printf("%x %v %v\n", b, p, err)
	// Output: 0000000100000002 {1 2} <nil>
}

// A time is written as the milliseconds Kafka counts in.
func ExampleConvert() {
	times := serde.Convert(serde.Int64,
		func(ms int64) (time.Time, error) { return time.UnixMilli(ms).UTC(), nil },
		func(t time.Time) (int64, error) { return t.UnixMilli(), nil })
	b, _ := times.Append(nil, time.UnixMilli(1700000000000))
	t, err := times.Decode(b)
	fmt.Printf("%x %v %v\n", b, t, err)
	// Output: 0000018bcfe56800 2023-11-14 22:13:20 +0000 UTC <nil>
}

func ExampleList() {
	words := serde.List(serde.String)
	b, _ := words.Append(nil, []string{"to", "be"})
	v, err := words.Decode(b)
	fmt.Printf("%x %q %v\n", b, v, err)
	// Output: 0000000200000002746f000000026265 ["to" "be"] <nil>
}

// Nil is null, and empty is not.
func ExampleNullable() {
	names := serde.Nullable(serde.String)
	null, _ := names.Decode(nil)
	empty, _ := names.Decode([]byte{})
	fmt.Println(null == nil, empty == nil)
	fmt.Println(names.(serde.Nuller[*string]).IsNull(null))
	// Output:
	// true false
	// true
}
