package graph

import (
	"context"
	"log/slog"
	"regexp"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// A Node is one step. Nodes are numbered in the order they were added, which is a topological order: children come
// after their parents.
type Node struct {
	ID       int
	Kind     string // the verb: "source", "filter", "count", "sink" …
	Name     string // in descriptions, metrics and errors: the name given, or KIND-ID
	Named    bool   // Name was given, and stays when the topology is edited
	Call     string // the call that made it, as the program writes it: Count("word-counts")
	At       string // file:line of that call
	Parents  []*Node
	Children []*Node
	Stores   []*decl.Store // the stores it reads or writes; sharing one joins two nodes into one subtopology
	Topics   []*Topic      // of a source or sink
	NullKeys bool          // it takes records without a key: repartition topics before it keep them
	NewKey   bool          // its output has other keys than its input
	ByKey    bool          // it looks up rows of its key-value stores under the keys of its input
	Old      OldUse        // what it does with the old value of a table's change
	Side     bool          // it takes what its parent refuses, not its output
	Clocks   []string      // names of the clocks it asks for, beside those of its stores
	Close    *Close        // when it is done with a window; nil: it is not about windows
	Policy   any           // topology.ErrorPolicy for failures of its user function; nil: Config's
	Async    *Async        // it waits for calls of its user function; nil: it does not

	// Source is set on sources only.
	Source *Source
	// Wire makes this task's function of the node (a record.Fn or record.ChangeFn of its input types) from the function
	// of what is downstream. It runs once per task, and never for sources.
	Wire func(env Env, down any) any
	// Fan makes one function (of the node's output types) of those of all children; none gives a function that does nothing.
	Fan func(downs []any) any
}

// A Close says how long after the end of a window records of it still count, for what waits for the last of them.
type Close struct{ Grace time.Duration }

// OldUse says what a node does with the old values of the changes it gets. A table finds them out only where one of the
// nodes behind it wants them.
type OldUse uint8

const (
	IgnoresOld OldUse = iota
	PassesOld         // maps them, for nodes behind it
	WantsOld
)

// OldWanted reports whether a node behind n wants the old values of the changes that n forwards.
func (n *Node) OldWanted() bool {
	for _, c := range n.Children {
		if c.Old == WantsOld || c.Old == PassesOld && c.OldWanted() {
			return true
		}
	}
	return false
}

// A Source is where records enter.
type Source struct {
	Start Start
	// Wire makes the function that decodes a record and hands it on. It fails with record.Fail when the bytes cannot be decoded.
	Wire func(env Env, down any) func(m *record.Meta, in *record.In)
	// Time finds the event time of a record, given the highest one seen in its partition (-1: none); nil: its timestamp.
	Time func(topic string, partition int32, in *record.In, partitionTime int64) (int64, error)
	// Policy is the topology.ErrorPolicy of the topic; nil: Config's.
	Policy any
	// Topic is the typed declaration (*topics.Spec) the source was made of; nil for repartition topics.
	Topic any
	// Global is set on the source of a global table, which belongs to no task.
	Global *Global
}

// A Global is a table of which every process holds all partitions. Its topic is its changelog.
type Global struct {
	Node  *Node
	Store *decl.Store // Global and Source of it are set
	Topic string
	// Check makes a function that decodes a record, and reports whether its value counts as null. What it refuses is no row.
	Check func() func(in *record.In) (null bool, err error)
}

// A Topic is a topic read or written by a topology.
type Topic struct {
	Name        string // as given; of an internal topic the base name, to which Full adds the rest
	Pattern     string // regular expression of topic names instead of Name; sources only
	Repartition bool   // internal: created by the runtime, trimmed after commits
	Suffix      string // of an internal topic: what follows its name; "": -repartition
	Partitions  int    // of a repartition topic; 0: as many as its source topics have at most
	At          string // file:line
}

// Matches returns the expression that names of topics read by t match in full, nil if t has no Pattern.
func (t *Topic) Matches() (*regexp.Regexp, error) {
	if t.Pattern == "" {
		return nil, nil
	}
	if _, err := regexp.Compile(t.Pattern); err != nil {
		return nil, err // with the pattern as it was given
	}
	return regexp.Compile("^(?:" + t.Pattern + ")$")
}

// Full returns the name of the topic in Kafka. Internal topics are named as in Kafka Streams.
func (t *Topic) Full(applicationID string) string {
	if t.Repartition {
		return applicationID + "-" + t.Base()
	}
	return t.Name
}

// Base returns the name of the topic without the application id that names of internal topics begin with.
func (t *Topic) Base() string {
	switch {
	case !t.Repartition:
		return t.Name
	case t.Suffix == "":
		return t.Name + "-repartition"
	}
	return t.Name + t.Suffix
}

// Changelog returns the name of a store's changelog topic, as in Kafka Streams.
func Changelog(applicationID string, s *decl.Store) string {
	if s.Source != "" {
		return s.Source
	}
	return applicationID + "-" + s.Name + "-changelog"
}

// Start says where to read a topic when the group has no offset.
type Start struct {
	Kind StartKind
	Ago  time.Duration
}

// StartKind is earliest, latest, or a duration ago.
type StartKind uint8

const (
	Earliest StartKind = iota
	Latest
	Ago
)

// A Copartition says that topics must have equal numbers of partitions, and why.
type Copartition struct {
	Node   string // the operator that needs it
	At     string
	Topics []*Topic
}

// A Plan is a checked graph. topology.Topology has it as underlying type.
type Plan struct {
	Nodes   []*Node
	Subs    []*Sub
	Globals []*Global // any task may read them
}

// A Sub is a subtopology: nodes connected by edges or by shared stores. One task runs it for each partition number.
type Sub struct {
	ID int
	// Fingerprint is equal in two topologies whose subtopologies do the same steps with the same names, stores and topics,
	// wherever else the topologies differ: kinds, given names, stores, topics and edges, not ids.
	Fingerprint uint64
	Nodes       []*Node // in topological order
	Sources     []*Node
	Stores      []*decl.Store // in order of first use
	Groups      []Copartition
	Idle        time.Duration // wall-clock time without records after which event time goes on; 0: never
}

// Env is the task an operator is wired into.
type Env interface {
	// Context ends when the task is closed.
	Context() context.Context
	TaskID() (subtopology int, partition int32)
	ApplicationID() string
	Logger() *slog.Logger

	// DB returns the database that holds the rows of a store.
	DB(s *decl.Store) store.DB
	// AtCommit has f called at every commit, before the changelog is written; functions of earlier nodes first. f
	// forwards the dirty rows of a table.
	AtCommit(n *Node, f func())
	// AtIdle has f called when stream time has moved on although no record came (Sub.Idle), between records. f does what a
	// record of that time would bring about.
	AtIdle(n *Node, f func())
	// OnRollback has f called after the open transaction, or what the record in hand did in it, was taken back: what an
	// operator keeps in memory of its rows may be wrong.
	OnRollback(f func())
	// Clock returns the clock with a name, the same for the same name: that of a store, or of an operator. It is part of the
	// metadata of offsets, which is short: a name is a store's or a node's, as given. A name with a slash is told only as long
	// as nobody else has committed since, as Kafka Streams in its turn: it carries on what it does not know, and what rows it
	// has written meanwhile such a clock would not know of. Other clocks then begin with what they were, at least.
	Clock(name string) *Clock
	// Log adds a record to the changelog of a store that no row says, in the open transaction. Slices are kept.
	Log(s *decl.Store, key, value []byte, headers []record.Header, time int64)

	// Meta is the task's one Meta, of the record in hand.
	Meta() *record.Meta
	// Send produces a record in the open transaction.
	Send(o *record.Out)
	// Partitions returns the number of partitions of a topic (full name), 0 when it is not known.
	Partitions(topic string) int32
	// Arena gives memory for keys and values to be sent.
	Arena() *record.Arena
	// Drop counts a record dropped at a node for a reason such as "null-key".
	Drop(n *Node, reason string)

	// Await returns the call that n makes for the record in hand. It is made with ask when the record is looked ahead at: then
	// done is false, and n passes nothing on. Once it is answered err says how it ended. Of several calls for one record, the
	// first is returned first.
	Await(n *Node, ask func() Call) (c Call, done bool, err error)

	// Position says where the record in hand was read, during a commit the last one taken up; ok is false in a timer.
	Position() (topic string, partition int32, offset int64, ok bool)
	// StreamTime is the highest event time the task has taken up, Now the wall clock; milliseconds, -1 for none yet.
	StreamTime() int64
	Now() int64
	// Schedule calls f each d of stream time or of wall-clock time, from between records.
	Schedule(n *Node, wall bool, d time.Duration, f func(now time.Time) error) Timer
	// ScheduleFrom is Schedule on the grid of start, start + d, start + 2d … milliseconds.
	ScheduleFrom(n *Node, wall bool, start int64, d time.Duration, f func(now time.Time) error) Timer
	OnClose(f func())
	RequestCommit()
}

// A Timer is a scheduled call.
type Timer interface{ Stop() }

// An Action is what an error policy decided. topology.Action has it as underlying type.
type Action struct {
	Kind  ActionKind
	Delay time.Duration // of a retry
	Topic string        // of a dead letter
}

// ActionKind is one of Fail, Skip, Retry, DeadLetter.
type ActionKind uint8

const (
	Fail ActionKind = iota
	Skip
	Retry
	DeadLetter
)
