package window_test

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/window"
)

// The end of a window is not in the bytes: the reader knows the size.
func ExampleKeySerde() {
	keys := window.KeySerde(serde.String, time.Minute)
	start := time.UnixMilli(1700000000000)
	b, _ := keys.Append(nil, window.Key[string]{Key: "k", Span: window.Between(start, start.Add(time.Minute))})
	k, err := keys.Decode(b)
	fmt.Printf("%x %s %v %v\n", b, k.Key, k.End().Sub(k.Start()), err)
	// Output: 6b0000018bcfe56800 k 1m0s <nil>
}

func ExampleSessionKeySerde() {
	keys := window.SessionKeySerde(serde.String)
	b, _ := keys.Append(nil, window.Key[string]{Key: "k", Span: window.Between(time.UnixMilli(5), time.UnixMilli(10))})
	k, err := keys.Decode(b)
	fmt.Printf("%x %s %v %v\n", b, k.Key, k.End().Sub(k.Start()), err)
	// Output: 6b000000000000000a0000000000000005 k 5ms <nil>
}

func ExampleClosed() {
	start := time.UnixMilli(0)
	k := window.Key[string]{Key: "k", Span: window.Between(start, start.Add(time.Minute))}
	fmt.Println(window.Closed(k).UTC())
	// Output: 1970-01-01 00:01:00 +0000 UTC
}
