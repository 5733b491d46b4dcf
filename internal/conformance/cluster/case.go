package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/internal/conformance"
)

// A Case is a topology, what is fed to it in two phases, and what was seen.
type Case struct {
	Name          string              `json:"name"`
	Family        string              `json:"family"`
	App           string              `json:"app"` // application id; names of user topics begin with it
	Config        Config              `json:"config"`
	Topology      []*conformance.Node `json:"topology"`
	Partitions    map[string]int32    `json:"partitions"` // of user topics
	Phases        []Phase             `json:"phases"`
	Subtopologies []Subtopology       `json:"subtopologies"`
	Internal      map[string]Internal `json:"internal"`
	Compare       map[string]Mode     `json:"compare"` // of every topic that is not an input

	broken error // why the line is no case
}

// Config is the configuration of the app. Times are in milliseconds.
type Config struct {
	conformance.Config
	Threads    int   `json:"threads"`
	CommitMs   int64 `json:"commitMs"`
	TaskIdleMs int64 `json:"taskIdleMs"`
}

// A Phase is what one instance of the app is fed with, and what it does.
type Phase struct {
	Batches       [][]Input        `json:"batches"`
	Result        Result           `json:"result"`
	Uninterrupted map[string]Topic `json:"uninterrupted"` // what else of topics is right: see the package
}

// An Input is a record that is fed.
type Input struct {
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Time      int64        `json:"ts"`
	Headers   [][2]*string `json:"headers"`
}

// A Subtopology is a part of the topology that runs as tasks of its own.
type Subtopology struct {
	ID      int      `json:"id"`
	Sources []string `json:"sources"`
	Sinks   []string `json:"sinks"`
	Stores  []string `json:"stores"`
	Global  bool     `json:"global"`
}

// Internal is a topic that the app makes.
type Internal struct {
	Partitions int32             `json:"partitions"`
	Config     map[string]string `json:"config"`
}

// A Result is what was seen after a phase.
type Result struct {
	Topics      map[string]Topic     `json:"topics"`
	Offsets     map[string][]*Offset `json:"offsets"` // by topic and partition; nil: none is committed
	Tasks       map[string][]string  `json:"tasks"`   // by id: topic/partition of inputs
	Dropped     int64                `json:"dropped"`
	Directories []string             `json:"directories"` // of Kafka Streams; not compared
	Restored    map[string]int64     `json:"restored"`    // for information
}

// A Topic is the partitions of a topic.
type Topic struct {
	Partitions []Partition `json:"partitions"`
}

// A Partition is what a phase has added to one. Start and End are offsets, of control records, too.
type Partition struct {
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Records []Record `json:"records"`
}

// A Record is one record of a topic. A nil Key or Value is null.
type Record struct {
	Offset  int64                `json:"o"`
	Key     *[]byte              `json:"k"`
	Value   *[]byte              `json:"v"`
	Time    int64                `json:"t"`
	Headers []conformance.Header `json:"h"`
	Batch   int                  `json:"b"` // during which it appeared; -1: before the first
}

// An Offset is what a group has committed for a partition.
type Offset struct {
	Offset   int64            `json:"offset"`
	Index    int64            `json:"index"` // how many data records lie before Offset
	Metadata string           `json:"metadata"`
	Version  *int             `json:"version"` // of Metadata, and its content; nil: it has none
	Time     *int64           `json:"time"`
	Progress map[string]int64 `json:"progress"`
}

// ReadDir reads the cases of all .jsonl files of a folder, files in the order of their names. A folder without cases is an
// error.
func ReadDir(dir fs.FS) ([]*Case, error) {
	return conformance.ReadFiles(dir, func(_ string, r io.Reader) ([]*Case, error) { return Read(r) })
}

// Read reads cases, one per line. A line that is no case, or has a field nobody knows, is a case that fails.
func Read(r io.Reader) ([]*Case, error) {
	return conformance.ReadLines(r, func(line int, text []byte) *Case {
		c := &Case{}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if c.broken = d.Decode(c); c.broken == nil {
			c.broken = c.check()
		}
		if c.Name == "" {
			c.Name = fmt.Sprintf("line %d", line)
		}
		return c
	})
}

// check finds what the runner has no meaning for.
func (c *Case) check() error {
	switch {
	case c.App == "" || len(c.Topology) == 0 || len(c.Partitions) == 0:
		return errors.New("no app, no topology, or no topics")
	case len(c.Phases) != 2:
		return fmt.Errorf("%d phases: want 2", len(c.Phases))
	case c.Config.Guarantee != "exactly_once_v2":
		return fmt.Errorf("guarantee %q: want exactly_once_v2", c.Config.Guarantee)
	case c.Config.Threads < 1 || c.Config.CommitMs < 1:
		return fmt.Errorf("%d threads, commits every %d ms: want at least 1", c.Config.Threads, c.Config.CommitMs)
	case len(c.Phases[0].Uninterrupted) > 0:
		return errors.New("phase 1 has no restart before it")
	}
	inputs := map[string]bool{}
	for _, p := range c.Phases {
		for _, b := range p.Batches {
			for _, in := range b {
				inputs[in.Topic] = true
				if n := c.Partitions[in.Topic]; in.Partition < 0 || in.Partition >= n {
					return fmt.Errorf("a record for %s/%d: there are %d partitions", in.Topic, in.Partition, n)
				}
			}
		}
	}
	for _, p := range c.Phases {
		for topic := range p.Result.Topics {
			if _, ok := c.Compare[topic]; !ok && !inputs[topic] {
				return fmt.Errorf("nothing says how to compare %s", topic)
			}
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(c.Compare)) {
		if err := c.Compare[topic].check(); err != nil {
			return fmt.Errorf("%s: %w", topic, err)
		}
		for i, p := range c.Phases {
			if _, ok := p.Result.Topics[topic]; !ok {
				return fmt.Errorf("phase %d says nothing of %s", i+1, topic)
			}
		}
	}
	return nil
}

// program returns the case as the interpreter knows it.
func (c *Case) program() *conformance.Case {
	return &conformance.Case{Name: c.Name, Family: c.Family, App: c.App, Config: c.Config.Config, Topology: c.Topology}
}

// consumed returns the topics that tasks read, and those of global tables.
func (c *Case) consumed() (tasks, global []string) {
	for _, s := range c.Subtopologies {
		for _, topic := range s.Sources {
			if s.Global {
				global = append(global, topic)
			} else {
				tasks = append(tasks, topic)
			}
		}
	}
	return tasks, global
}

// closing returns the stores whose windows are sent when they close.
func (c *Case) closing() map[string]bool {
	stores := map[string]bool{}
	atClose := map[string]bool{} // ids of windowings
	for _, n := range c.Topology {
		if n.Word("emit") == "close" {
			atClose[n.ID] = true
		}
		if atClose[n.Word("in")] {
			stores[n.Word("store")] = true
		}
	}
	return stores
}

// changelog reports whether a topic is the changelog of a store.
func (c *Case) changelog(topic string) bool {
	_, internal := c.Internal[topic]
	return internal && strings.HasSuffix(topic, "-changelog")
}
