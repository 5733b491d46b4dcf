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

// A time falls into every window that is open then.
func ExampleHopping() {
	for s := range window.Hopping(time.Minute, 20*time.Second).Of(time.Unix(90, 0)) {
		fmt.Println(s.Start().Unix(), s.End().Unix())
	}
	// Output:
	// 40 100
	// 60 120
	// 80 140
}

// Windows that advance by their size are side by side.
func ExampleTumbling() {
	fmt.Println(window.Tumbling(time.Minute) == window.Hopping(time.Minute, time.Minute))
	for s := range window.Tumbling(time.Minute).Of(time.Unix(90, 0)) {
		fmt.Println(s.Start().Unix(), s.End().Unix())
	}
	// Output:
	// true
	// 60 120
}

func ExampleUnlimited() {
	w := window.Unlimited(time.Time{})
	first, last, _ := w.Starts(1e15)
	fmt.Println(first, last, w.Closed(first, 1e15))
	// Output: 0 0 false
}

// Of two records, the window of the later one holds both if they are close enough.
func ExampleSliding() {
	w := window.Sliding(10 * time.Second)
	fmt.Println(w.Left(25_000).Start().Unix(), w.Left(25_000).End().Unix())
	// Output: 15 25
}

// What is exactly the gap away still belongs to the session.
func ExampleSession() {
	earliestEnd, latestStart := window.Session(time.Minute).Near(100_000)
	fmt.Println(earliestEnd, latestStart)
	// Output: 40000 160000
}
