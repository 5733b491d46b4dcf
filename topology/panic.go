package topology

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// PanicError is the error of a RecordError when a user function panicked instead of returning an error. An error policy
// finds it, and what was thrown, with errors.As and errors.Is.
type PanicError struct {
	Value any    // what panic was called with
	Stack string // of the goroutine, from the function that panicked
}

// NewPanicError returns the error of a panic. It must be called by the deferred function that recovered v, while the
// stack still stands.
func NewPanicError(v any) *PanicError {
	stack := string(debug.Stack())
	// The frames above the panic are those of recovering. Of two panics the first one, lowest in the stack, is the cause.
	if i := strings.LastIndex(stack, "\npanic("); i >= 0 {
		for range 3 { // the call of panic, and the line it stands in
			j := strings.IndexByte(stack[i:], '\n')
			if j < 0 {
				break
			}
			i += j + 1
		}
		stack = stack[i:]
	}
	return &PanicError{v, strings.TrimRight(stack, "\n")}
}

// Message says what was thrown, without the stack.
func (e *PanicError) Message() string { return fmt.Sprintf("panic: %v", e.Value) }

func (e *PanicError) Error() string { return e.Message() + "\n\n" + e.Stack }

// Unwrap returns the value of the panic if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
