// Package task runs one partition group through one subtopology.
package task

import (
	"log/slog"
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

// Config says what a task runs and what it is connected to. Its functions are called on the caller's goroutine only.
type Config struct {
	ID            topology.TaskID
	Sub           *graph.Sub
	ApplicationID string
	Inputs        []TP                         // partitions of the source topics, resolved to full names
	DB            func(s *decl.Store) store.DB // opened and restored
	Send          func(o *record.Out)          // takes outputs; called inside Process, Punctuate and Emit; o is reused after
	Partitions    func(topic string) int32     // number of partitions of a topic, 0 if unknown
	Policy        topology.ErrorPolicy         // Config.OnError; nil fails
	MaxIdle       time.Duration                // how long to wait for an input that is proven empty
	Now           func() time.Time
	Logger        *slog.Logger
	OnError       func(*topology.RecordError, topology.Action) // after a policy decided; may be nil
	OnDrop        func(node, reason string)                    // a record was dropped; may be nil
}

// Task is one partition group running one subtopology.
type Task struct{}

// Offset is what to commit for one input: the next record to process, and metadata in Kafka Streams' format.
type Offset struct {
	TP
	Offset   int64
	Epoch    int32 // leader epoch of the last processed record, -1 unknown
	Metadata string
}

func New(c Config) (*Task, error) { panic("stub") }

// Resume sets where an input goes on: after opening, and after an abort. Buffered records of it are dropped. metadata is that of the committed offset ("" for none): it seeds partition time and stream time.
func (t *Task) Resume(tp TP, offset int64, metadata string) { panic("stub") }

// Add buffers fetched records. Those below the position the task expects are dropped. next is the reader's position after them: markers and holes count; recs may be empty.
func (t *Task) Add(tp TP, recs []record.In, next int64) { panic("stub") }

// Buffered returns records and bytes waiting in an input, for flow control.
func (t *Task) Buffered(tp TP) (records int, bytes int64) { panic("stub") }

// SetEnd tells the end of an input (last stable offset), asked for after the last Add of it: proves lag 0 when the position has reached it.
func (t *Task) SetEnd(tp TP, end int64) { panic("stub") }

// NeedEnds returns inputs whose end the task must know to go on.
func (t *Task) NeedEnds() []TP { panic("stub") }

// Ready reports whether Process would process a record now, and if not, why ("" when simply nothing is buffered), and when to look again (zero: only after a new event).
func (t *Task) Ready() (ok bool, why string, again time.Time) { panic("stub") }

// Process processes up to max records in event-time order. It returns early when a commit is requested. An error is fatal: the transaction must be aborted.
func (t *Task) Process(max int) (n int, err error) { panic("stub") }

// Punctuate runs due timers and returns when the next wall-clock timer is due (zero: none).
func (t *Task) Punctuate() (next time.Time, err error) { panic("stub") }

// CommitRequested reports whether a processor asked for a commit since the last one.
func (t *Task) CommitRequested() bool { panic("stub") }

// Dirty reports whether there is something to commit: offsets moved, rows written, records sent.
func (t *Task) Dirty() bool { panic("stub") }

// Emit forwards the dirty rows of tables that forward once per commit. Call it before Changelog.
func (t *Task) Emit() error { panic("stub") }

// Changelog calls f for each dirty row of stores with a changelog, once per row identity. key and value are in changelog format, valid after the call; nil value deletes.
func (t *Task) Changelog(f func(s *decl.Store, key, value []byte, time int64)) { panic("stub") }

// Offsets returns what to commit, one per input whose position is known.
func (t *Task) Offsets() []Offset { panic("stub") }

// Committed tells that the transaction is committed. The caller commits the databases.
func (t *Task) Committed() { panic("stub") }

// Abort drops buffered records and everything since the last commit. The caller aborts the databases and then calls Resume for each input.
func (t *Task) Abort() { panic("stub") }

// Close runs OnClose functions and ends the task's context. Nothing is committed.
func (t *Task) Close() { panic("stub") }
