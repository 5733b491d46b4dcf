package kstest_test

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/window"
)

// What a processor put into windows is there after a crash too.
func ExampleDriver_Windows() {
	d := kstest.New(kstest.InExample(), visiting())
	d.Input(lines).SendAt(time.Unix(100, 0), "ann", "at the door")
	d.Crash()
	for k, v := range d.Windows(visits).FetchAll(time.Unix(0, 0), time.Unix(1000, 0)) {
		fmt.Println(k.Key, k.Start().Unix(), k.End().Unix(), v)
	}
	// Output: ann 100 110 at the door
}

func ExampleDriver_Sessions() {
	d := kstest.New(kstest.InExample(), visiting())
	s := d.Sessions(stays)
	s.Put("ann", window.Between(time.Unix(90, 0), time.Unix(95, 0)), "prepared by the test")
	d.Input(lines).SendAt(time.Unix(100, 0), "ann", "at the door")
	for span, v := range s.Find("ann", time.Unix(95, 0), time.Unix(99, 0)) {
		fmt.Println(span.Start().Unix(), span.End().Unix(), v)
	}
	// Output:
	// 90 95 prepared by the test
	// 99 100 at the door
}
