package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// TP is a partition of a topic (full name).
type TP struct {
	Topic     string
	Partition int32
}

// String returns topic/partition.
func (tp TP) String() string { return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition) }

// Config says what a task runs and what it is connected to. Its functions are called on the caller's goroutine only.
type Config struct {
	ID            topology.TaskID
	Sub           *graph.Sub
	ApplicationID string
	Inputs        []TP                                         // partitions of the source topics, resolved to full names; among equal event times the first goes first
	DB            func(s *decl.Store) store.DB                 // opened and restored, and those of global tables; may be nil for a subtopology that uses none
	Send          func(o *record.Out)                          // takes outputs; called inside Process, Punctuate and Emit; o is reused after
	Partitions    func(topic string) int32                     // number of partitions of a topic, 0 if unknown; nil knows none
	Policy        topology.ErrorPolicy                         // Config.OnError; nil fails
	MaxIdle       time.Duration                                // how long to wait for an input that is proven empty; negative: wait for no input, proven or not
	Now           func() time.Time                             // read at most once per call of a method
	Logger        *slog.Logger                                 // nil discards
	OnError       func(*topology.RecordError, topology.Action) // after a record failed and was judged; may be nil
	OnDrop        func(node, reason string)                    // a record was dropped; may be nil
	Around        topology.Around                              // Config.Around; may be nil
	LogAbsent     bool                                         // changelogs of stores with NoCache also tell deletions of rows that no commit has had, as Kafka Streams' do
}

// Offset is what to commit for one input: the next record to process, and metadata in Kafka Streams' format.
type Offset struct {
	TP
	Offset   int64
	Epoch    int32 // leader epoch of the last record taken up, -1 unknown
	Metadata string
}

// Reasons the task itself gives for dropped records; operators add their own.
const (
	NegativeTime = "negative-time" // the event time is before the epoch
	Skipped      = "skipped"       // it failed, and a policy said Skip
)

// ErrClosed is returned by a task that was closed.
var ErrClosed = errors.New("task: closed")

// Task is one partition group running one subtopology. It belongs to one goroutine at a time.
type Task struct {
	c   Config
	log *slog.Logger

	// A context in a struct, against the rule: it is the task's lifetime, which operators hand to user code that blocks.
	ctx    context.Context
	cancel context.CancelFunc
	closed atomic.Bool // read by stores in the hands of goroutines that outlive the task

	nodes    map[int32]*graph.Node
	policies map[int32]topology.ErrorPolicy
	guarded  bool // some policy can be reached: records are processed under a savepoint
	wiring   *graph.Node

	stores   []taskStore
	dbs      []store.DB // distinct
	atCommit []hook
	onClose  []func()
	timers   []*timer
	stops    []*timer // stopped since the last commit

	inputs  []*input
	byTP    map[TP]*input
	fresh   []*input // have records, and a head whose event time was not looked at; len(fresh) + len(heads) + empty = len(inputs)
	heads   []*input // heap of inputs by the event time of their head
	empty   int      // inputs without records
	lost    int      // inputs whose position is not known: no Resume since New or Abort
	gate    gate     // whether the empty inputs allow to go on, as of the last look
	retry   hold     // set by a policy's Retry
	ahead   ahead    // calls of user code that records wait for
	refused []refusal

	// The record, timer or emission in hand.
	stage   stage
	cur     *input
	meta    record.Meta
	arena   record.Arena
	warming warming
	deleted deletions // of the open transaction
	sender  int32     // node of the output being handed to Send
	outs    []output  // wait for the record or timer in hand to be through
	// releasing: outs are on their way out. What fails now is fatal: some of them are out already.
	releasing bool
	save      savepoint
	count     int // records taken from inputs in this call of Process

	clock time.Time // reading of Config.Now in this call; zero: not read yet

	streamTime int64            // >= time of every input
	clocks     []*clock         // of stores and operators
	progress   map[string]int64 // clocks that nobody asked for, from the offsets' metadata: carried on
	logs       []logged         // changelog records that no row says, of the open transaction
	onRollback []func()
	last       topology.Position // last record taken up in the open transaction; Offset -1: none
	sent       bool              // an output was sent in the open transaction
	commit     bool              // a processor asked for a commit

	idle idling

	broken error // of a storage engine; stays
	failed error // of a record, timer or emission; until Abort

	committed struct {
		streamTime int64
		timers     int // timers[:committed.timers] existed at the last commit
	}
}

// stage says what the task is doing, and with it what Position knows and where outputs go.
type stage uint8

const (
	idle     stage = iota // operators are not called: neither writes nor outputs are expected
	timing                // finds the event time of a head
	running               // a record is in hand
	firing                // a timer
	emitting              // AtCommit functions
	closing               // OnClose functions
)

// Resume sets where an input goes on: after opening, and after an abort. Buffered records of it are dropped. metadata
// is that of the committed offset ("" for none): it seeds partition time and stream time. What cannot be decoded is
// logged and ignored.
//
// The task does nothing before each input was resumed, so that no timer fires and no record is taken up at a time that
// the metadata of another input would have moved on.
func (t *Task) Resume(tp TP, offset int64, metadata string) {
	in := t.input(tp)
	t.drain(in)
	if !in.known {
		in.known = true
		t.lost--
	}
	in.next, in.committed.offset, in.offered = offset, offset, offset
	in.forgetEnd()
	t.gate = gate{}
	if metadata != "" {
		t.tell(in, metadata)
	}
	if t.lost == 0 {
		t.resumeClocks()
	}
}

// tell takes up the metadata of an input's committed offset.
func (t *Task) tell(in *input, text string) {
	m, err := decodeMetadata(text)
	if err != nil {
		t.log.Warn("metadata of a committed offset ignored: stream time starts anew", "partition", in.tp.String(), "error", err)
		return
	}
	in.told = true
	in.time, in.committed.time = m.time, m.time
	t.streamTime = max(t.streamTime, m.time)
	t.committed.streamTime = t.streamTime
	in.resumed.progress, in.resumed.foreign = m.progress, !m.sealed(in.tp, in.committed.offset)
}

// Add buffers fetched records. Those below the position the task expects are dropped, and so are all while that
// position is not known: between Abort and Resume, records still come that were fetched before. next is the reader's
// position after them: markers and holes count; recs may be empty. The task keeps the bytes, not the slice.
func (t *Task) Add(tp TP, recs []record.In, next int64) {
	in := t.input(tp)
	if !in.known {
		return
	}
	for len(recs) > 0 && recs[0].Offset < in.next {
		recs = recs[1:]
	}
	if next > in.next {
		in.next = next
	}
	if len(recs) == 0 {
		t.gate = gate{}
		return
	}
	t.idle.since = time.Time{}
	if in.buffered() == 0 {
		t.empty--
		t.fresh = append(t.fresh, in)
	}
	in.add(recs)
	in.forgetEnd()
	t.ahead.stalled = nil
	t.gate = gate{}
}

// Buffered returns records and bytes waiting in an input, for flow control.
func (t *Task) Buffered(tp TP) (records int, bytes int64) {
	in := t.input(tp)
	return in.buffered(), in.bytes
}

// CommitRequested reports whether a processor asked for a commit since the last one.
func (t *Task) CommitRequested() bool { return t.commit }

// StreamTime returns the highest event time taken up, milliseconds since the epoch; -1 for none yet.
func (t *Task) StreamTime() int64 { return t.streamTime }

// Close runs OnClose functions, the last one first, and ends the task's context. Nothing is committed: what OnClose
// functions send and write goes nowhere. Stores still in the hands of user code fail with store.ErrClosed from then on.
func (t *Task) Close() {
	if t.closed.Load() {
		return
	}
	t.stage = closing
	for i := len(t.onClose) - 1; i >= 0; i-- {
		t.runOnClose(t.onClose[i])
	}
	t.closed.Store(true)
	t.cancel()
}

func (t *Task) runOnClose(f func()) {
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("an OnClose function panicked", "error", topology.NewPanicError(p))
		}
	}()
	f()
}

// input returns an input of the task. The caller routes records by partition; one that is not the task's would be lost
// without a trace, so it is an error of the caller.
func (t *Task) input(tp TP) *input {
	in := t.byTP[tp]
	if in == nil {
		panic(fmt.Sprintf("task: %s is not an input of task %s", tp, t.c.ID))
	}
	return in
}

// now reads the clock, once per call of an exported method.
func (t *Task) now() time.Time {
	if t.clock.IsZero() {
		t.clock = t.c.Now()
	}
	return t.clock
}

// usable returns the error that keeps the task from going on.
func (t *Task) usable() error {
	switch {
	case t.failed != nil:
		return t.failed
	case t.broken != nil:
		return t.broken
	case t.closed.Load():
		return ErrClosed
	}
	return nil
}
