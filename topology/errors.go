package topology

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/serde"
)

// TaskID names a task: its subtopology and its partition number.
type TaskID struct {
	Subtopology int
	Partition   int32
}

// String returns the id as Kafka Streams writes it: 0_3 is partition 3 of subtopology 0.
func (id TaskID) String() string { return fmt.Sprintf("%d_%d", id.Subtopology, id.Partition) }

// Position is a place in a topic: the record at Offset.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

func (p Position) String() string { return fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Offset) }

// RecordError says which record failed, where in the topology, and why. Key and Value are the bytes of the source record
// in hand. In a timer there is none: both are nil, and Position has no Topic and the Offset -1. While tables forward their
// rows at commit, both are nil and Position is the last record taken up, if one was. Node and At name the step whose
// function failed and the line that made it.
type RecordError struct {
	Position
	Task       TaskID
	Node, At   string
	Key, Value []byte
	Err        error
}

func (e *RecordError) Error() string {
	if e.Topic == "" {
		return fmt.Sprintf("millrace: task %s: failed at %s (%s): %v", e.Task, e.Node, e.At, e.Err)
	}
	return fmt.Sprintf("millrace: task %s: record %s failed at %s (%s): %v", e.Task, e.Position, e.Node, e.At, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }

// ErrorPolicy decides what becomes of a record that failed. It runs inside the task and must not block.
type ErrorPolicy func(e *RecordError) Action

// Action is the decision of an ErrorPolicy. Skip, Retry and DeadLetter first take back everything the record did: sends and
// writes to stores.
type Action graph.Action

// Fail stops the app: Run returns the error. Nothing of the record is committed.
func Fail() Action { return Action{Kind: graph.Fail} }

// Skip drops the record and counts it.
func Skip() Action { return Action{Kind: graph.Skip} }

// Retry processes the record again after d. Its task waits meanwhile; other tasks go on.
func Retry(d time.Duration) Action { return Action{Kind: graph.Retry, Delay: d} }

// DeadLetter writes the bytes of the source record to a topic, in the same transaction, and goes on. Headers say what failed:
// millrace.error.message, .node, .topic, .partition, .offset.
func DeadLetter(topic string) Action { return Action{Kind: graph.DeadLetter, Topic: topic} }

func (a Action) String() string {
	switch a.Kind {
	case graph.Fail:
		return "fail"
	case graph.Skip:
		return "skip"
	case graph.Retry:
		return fmt.Sprintf("retry in %v", a.Delay)
	case graph.DeadLetter:
		return "dead letter to " + a.Topic
	}
	return "unknown"
}

// DecodeError says that the bytes of a record could not be read. It is the Err of the RecordError.
type DecodeError struct {
	Topic string
	Part  serde.Part // which half of the record
	Err   error      // of the serde
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("topology: the %s of a record of topic %q cannot be decoded: %v", half(e.Part), e.Topic, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError says that a key or value could not be written. It is the Err of the RecordError.
type EncodeError struct {
	Topic string     // where to
	Part  serde.Part // which half of the record
	Err   error      // of the serde
}

func (e *EncodeError) Error() string {
	return fmt.Sprintf("topology: the %s of a record for topic %q cannot be encoded: %v", half(e.Part), e.Topic, e.Err)
}

func (e *EncodeError) Unwrap() error { return e.Err }

func half(p serde.Part) string {
	if p == serde.Key {
		return "key"
	}
	return "value"
}
