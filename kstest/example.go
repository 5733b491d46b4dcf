package kstest

import (
	"fmt"
	"io"
	"testing"
)

// InExample returns a testing.TB for runnable examples, which have none: failures are printed, where the example's output is
// compared, and those a test could not go on after panic. Nothing ends with it: call Driver.Close if the topology needs it.
func InExample() testing.TB { return inExample{} }

// inExample has the methods a Driver uses; the others are not there.
type inExample struct{ testing.TB }

func (inExample) Helper()                           {}
func (inExample) Cleanup(func())                    {}
func (inExample) Output() io.Writer                 { return io.Discard }
func (inExample) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (inExample) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
