package millrace

import (
	"errors"
	"fmt"
	"time"
)

// The errors New and Run promise; compare with errors.Is.
var (
	ErrFenced      = errors.New("millrace: fenced by another process of the same id")
	ErrNotRunning  = errors.New("millrace: not running")
	ErrPartitions  = errors.New("millrace: topics that must be co-partitioned differ in partitions")
	ErrOffsetsLost = errors.New("millrace: committed offsets are gone while the state is not")
)

// UnreachableError says that no broker could be talked to.
type UnreachableError struct {
	Brokers []string
	After   time.Duration
	Err     error // of the last attempt
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("millrace: no broker of %v answered within %v: %v (check Config.Brokers, and whether the listener wants TLS or SASL: Config.Client)", e.Brokers, e.After, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// TopicError is a topic that is missing or does not fit, and what to do about it.
type TopicError struct {
	Topic  string
	At     string // file:line that names the topic; empty for changelogs
	Reason string
	Remedy string
	Err    error // sentinel or broker's error; may be nil
}

func (e *TopicError) Error() string {
	at := ""
	if e.At != "" {
		at = " (" + e.At + ")"
	}
	return fmt.Sprintf("millrace: topic %q%s: %s: %s", e.Topic, at, e.Reason, e.Remedy)
}

func (e *TopicError) Unwrap() error { return e.Err }
