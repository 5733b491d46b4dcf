package conformance

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// A Bench is the testing.TB of a driver that runs outside of a test: what would fail the test panics, for Failed.
type Bench struct {
	testing.TB // for its other methods, which a driver does not use
	cleanups   []func()
}

// A fatal is what a driver says that cannot go on.
type fatal struct{ text string }

// Helper implements testing.TB.
func (*Bench) Helper() {}

// Output implements testing.TB: what is logged is dropped.
func (*Bench) Output() io.Writer { return io.Discard }

// Errorf implements testing.TB.
func (*Bench) Errorf(format string, args ...any) { panic(fatal{fmt.Sprintf(format, args...)}) }

// Fatalf implements testing.TB.
func (*Bench) Fatalf(format string, args ...any) { panic(fatal{fmt.Sprintf(format, args...)}) }

// Cleanup implements testing.TB: Close calls f.
func (b *Bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

// Close closes the driver.
func (b *Bench) Close() {
	for i := len(b.cleanups) - 1; i >= 0; i-- {
		b.cleanups[i]()
	}
}

// Failed, deferred, makes an error of what has failed a Bench.
func Failed(err *error) {
	if p := recover(); p != nil {
		f, ok := p.(fatal)
		if !ok {
			panic(p)
		}
		*err = errors.New(f.text)
	}
}
