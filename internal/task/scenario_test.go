package task

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// TestScenarios runs the transcripts in testdata. Each line below is one command; what the task did follows.
//
//	task [inputs=a,b] [idle=5ms] [policy=ACTION] [near=ACTION] [topic=ACTION] [setup=(WORDS)] [resume]
//	     makes a task; policies of Config, of the node "work" and of the topics: see policyOf
//	send INPUT      one record a line: OFFSET @TIME VALUE; "next N" moves the reader's position
//	end INPUT N     the end of an input is known
//	process [max=N], ready, need, tick DURATION, punctuate, emit, changelog, offsets, dirty, close
//	commit          emit, changelog, offsets and committed
//	committed       the transaction is committed
//	abort           then "replay": resume from the committed offsets, and the log from there
//	break           the storage engine fails from now on
//	refuse INPUT OFFSET  the broker refuses what node "sink" sent for that record
//
// The value of a record is what the node "work" does with it: see work_test.go.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return // a corpus
		}
		s := &scenario{t: t}
		t.Cleanup(func() {
			if s.task != nil {
				s.task.Close()
			}
		})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.t = t
			s.run(d)
			return s.out.String()
		})
	})
}

// A scenario is a task, the partitions it reads and the time of day, as far as the lines above have brought them.
type scenario struct {
	t      *testing.T
	out    strings.Builder
	task   *Task
	db     *flaky
	now    time.Time
	clocks int // readings of the clock
	log    map[TP][]record.In
	next   map[TP]int64
	saved  map[TP]Offset
}

func (s *scenario) say(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *scenario) fail(err error) {
	if err != nil {
		s.say("fatal: %v", firstLine(err))
	}
}

// firstLine leaves out the stack of a panic.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (s *scenario) run(d *datadriven.TestData) {
	switch d.Cmd {
	case "task":
		s.open(d)
	case "send":
		s.send(inputOf(d.CmdArgs[0].Key), d.Input)
	case "end":
		s.task.SetEnd(inputOf(d.CmdArgs[0].Key), number(d.CmdArgs[1].Key))
	case "resume":
		tp := inputOf(d.CmdArgs[0].Key)
		var metadata string
		d.MaybeScanArgs(s.t, "metadata", &metadata)
		s.task.Resume(tp, number(d.CmdArgs[1].Key), metadata)
	case "ready":
		s.ready()
	case "need":
		s.say("%v", s.task.NeedEnds())
	case "process":
		max := 100
		d.MaybeScanArgs(s.t, "max", &max)
		s.clocks = 0
		n, err := s.task.Process(max)
		s.say("%d taken", n)
		s.fail(err)
		if s.clocks > 1 {
			s.say("the clock was read %d times", s.clocks)
		}
		if s.task.CommitRequested() {
			s.say("a commit is requested")
		}
	case "tick":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(by)
	case "punctuate":
		next, err := s.task.Punctuate()
		if !next.IsZero() {
			s.say("next at %v", next.Sub(start))
		}
		s.fail(err)
	case "emit":
		s.fail(s.task.Emit())
	case "changelog":
		s.changelog()
	case "offsets":
		s.offsets(s.task.Offsets())
	case "dirty":
		s.say("%v", s.task.Dirty())
	case "buffered":
		n, bytes := s.task.Buffered(inputOf(d.CmdArgs[0].Key))
		s.say("%d records, %d bytes", n, bytes)
	case "commit":
		s.commit()
	case "committed":
		s.committed()
	case "abort":
		s.db.Abort()
		s.task.Abort()
	case "replay":
		s.replay()
	case "break":
		s.db.broken = errors.New("disk on fire")
	case "mend":
		s.db.broken = nil
	case "refuse":
		at := topology.Position{Topic: d.CmdArgs[0].Key, Offset: number(d.CmdArgs[1].Key)}
		s.task.Refuse(at, sinkID, errors.New("MESSAGE_TOO_LARGE"))
	case "close":
		s.task.Close()
	default:
		s.t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
}

var start = time.UnixMilli(1_000_000)

func (s *scenario) open(d *datadriven.TestData) {
	inputs, idle, setup := "a", "0s", ""
	d.MaybeScanArgs(s.t, "setup", &setup)
	d.MaybeScanArgs(s.t, "inputs", &inputs)
	d.MaybeScanArgs(s.t, "idle", &idle)
	maxIdle, err := time.ParseDuration(idle)
	if err != nil {
		s.t.Fatal(err)
	}
	policies := map[string]topology.ErrorPolicy{}
	for _, where := range []string{"policy", "near", "topic"} {
		var name string
		d.MaybeScanArgs(s.t, where, &name)
		policies[where] = policyOf(name)
	}
	if s.task != nil {
		s.task.Close()
	}
	// The transcript of one task has nothing of the one before.
	*s = scenario{t: s.t, now: start, log: map[TP][]record.In{}, next: map[TP]int64{}, saved: map[TP]Offset{}}
	s.db = newFlaky(s.t, "rows", "copies", "private")
	c := Config{
		ID: topology.TaskID{Subtopology: 0, Partition: 0}, ApplicationID: "app",
		Sub:        workshop{say: s.say, near: policies["near"], topic: policies["topic"], setup: setup}.sub(),
		DB:         func(*decl.Store) store.DB { return s.db },
		Send:       s.sent,
		Partitions: func(string) int32 { return 4 },
		Policy:     policies["policy"],
		MaxIdle:    maxIdle,
		Now:        func() time.Time { s.clocks++; return s.now },
		Logger:     transcriptLogger(s),
		OnError: func(e *topology.RecordError, a topology.Action) {
			s.say("policy: %v: %s", a, firstLine(e))
		},
		OnDrop: func(node, reason string) { s.say("dropped at %s: %s", node, reason) },
	}
	for _, name := range strings.Split(inputs, ",") {
		c.Inputs = append(c.Inputs, inputOf(name))
	}
	if s.task, err = New(c); err != nil {
		s.say("%s", firstLine(err))
		return
	}
	for _, tp := range c.Inputs {
		if d.HasArg("resume") {
			s.task.Resume(tp, 0, "")
		}
	}
}

func inputOf(name string) TP { return TP{Topic: name} }

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// send adds records to the log of an input, and hands them to the task. Key is the name of the input, and no key where
// the value says so.
func (s *scenario) send(tp TP, lines string) {
	var recs []record.In
	next := int64(-1)
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if n, ok := strings.CutPrefix(line, "next "); ok {
			next = number(n)
			continue
		}
		offset, rest, _ := strings.Cut(line, " ")
		at, value, _ := strings.Cut(rest, " ")
		r := record.In{
			Key: []byte(tp.Topic), Value: []byte(value),
			Time: number(strings.TrimPrefix(at, "@")), Offset: number(offset), Epoch: 7,
			Headers: []record.Header{{Key: "from", Value: []byte(tp.Topic)}},
		}
		if value == "nokey" {
			r.Key = nil
		}
		if value == "delete" {
			r.Value = nil
		}
		recs = append(recs, r)
		next = r.Offset + 1
	}
	s.log[tp] = append(s.log[tp], recs...)
	s.next[tp] = next
	s.task.Add(tp, recs, next)
}

// sent prints an output as it reaches the producer.
func (s *scenario) sent(o *record.Out) {
	s.out.WriteString("sent to " + o.Topic)
	if o.Partition != 0 {
		fmt.Fprintf(&s.out, "/%d", o.Partition)
	}
	fmt.Fprintf(&s.out, ": %s=%s @%d", text(o.Key), text(o.Value), o.Time)
	if at, node, ok := s.task.Origin(); ok {
		fmt.Fprintf(&s.out, ", of %v at %d", at, node)
	}
	for _, h := range o.Headers {
		if strings.HasPrefix(h.Key, "millrace") || o.Topic == "dead" {
			fmt.Fprintf(&s.out, "\n  %s: %s", h.Key, h.Value)
		}
	}
	s.out.WriteByte('\n')
}

func text(b []byte) string {
	if b == nil {
		return "∅"
	}
	return string(b)
}

func (s *scenario) ready() {
	ok, why, again := s.task.Ready()
	if ok {
		s.say("ready")
		return
	}
	if !again.IsZero() {
		why += fmt.Sprintf("; again at %v", again.Sub(start))
	}
	s.say("not ready: %s", why)
}

func (s *scenario) changelog() {
	var say []func()
	s.task.Changelog(func(d *decl.Store, e changelog.Entry) {
		say = append(say, func() { s.say("log %s: %s=%s @%d", d.Name, text(e.Key), text(e.Value), e.Time) })
	})
	for _, f := range say {
		f()
	}
}

func (s *scenario) offsets(offsets []Offset) {
	for _, o := range offsets {
		s.saved[o.TP] = o
		m, err := decodeMetadata(o.Metadata)
		if err != nil {
			s.t.Error(err)
		}
		s.say("offset %v: %d, epoch %d, time %d", o.TP, o.Offset, o.Epoch, m.time)
		for _, name := range slices.Sorted(maps.Keys(m.progress)) {
			s.say("  progress of %s: %d", name, m.progress[name])
		}
	}
}

func (s *scenario) commit() {
	if err := s.task.Emit(); err != nil {
		s.fail(err)
		return
	}
	s.changelog()
	s.offsets(s.task.Offsets())
	s.committed()
}

func (s *scenario) committed() {
	if err := s.db.Commit(); err != nil {
		s.t.Fatal(err)
	}
	s.task.Committed()
}

func (s *scenario) replay() {
	for _, in := range s.task.c.Inputs {
		from := s.saved[in]
		s.task.Resume(in, from.Offset, from.Metadata)
		var recs []record.In
		for _, r := range s.log[in] {
			if r.Offset >= from.Offset {
				recs = append(recs, r)
			}
		}
		s.task.Add(in, recs, s.next[in])
	}
}
