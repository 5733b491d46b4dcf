package metamorphic

import (
	"cmp"
	"encoding/json"
	"slices"
)

// A Step is a record that is sent.
type Step struct {
	Topic string  `json:"topic"`
	Key   *string `json:"key"`
	Value *string `json:"value"`
	Time  int64   `json:"ts"` // milliseconds since the epoch
}

// A level is how much of what a stream sends, or a table, is the same whenever it is committed and whoever it is restored by.
type level int

const (
	last  level = iota // the last value of each key; one that is null is as good as none
	bag                // all records, in any order
	every              // all records, in the order in which each task sends them
)

// A Sink is a topic that a case writes, and what is known of it.
type Sink struct {
	Topic    string
	keys     keys
	number   bool  // values are numbers
	level    level // what is the same in all runs
	claimed  level // what the oracle tells: no more than level
	timed    bool  // times are the same, too
	dated    bool  // and the oracle tells them
	moved    bool  // keys may come from several tasks
	empty    bool  // what is 0 may as well be missing
	expected func(w *world) data
}

// keys is how the keys of a stream are written.
type keys struct {
	kind string // text, time, session
	size int64  // of windows in time
}

// A Case is a topology and its input.
type Case struct {
	Seed       uint64
	Partitions int
	Nodes      []node
	Steps      []Step
	Sinks      []Sink

	settled  bool // what stores hold is the same in all runs
	oneTask  bool // may run as one task with the same results
	inMemory bool // stores are declared so
	eager    bool // results are claimed only if a commit follows each record
	nulls    bool // functions may meet a null
}

// A node is an operation in the language of package conformance.
type node map[string]any

// app is the application id of all cases.
const app = "app"

// JSON returns the case in the format of recorded cases, in one line: conformance can show it, and Kafka Streams can be asked
// about it.
func (c *Case) JSON() []byte {
	stores := "rocksDB"
	if c.inMemory {
		stores = "inMemory"
	}
	b, err := json.Marshal(map[string]any{
		"name": "metamorphic", "family": "metamorphic", "app": app,
		"config": map[string]any{
			"cacheBytes": 1 << 20, "optimization": "none", "explicitNames": true, "guarantee": "exactly_once_v2", "stores": stores,
			"outerJoinEmitMs": 0, "windowCloseEmitMs": 0, "wallClockMs": 0,
		},
		"topology": c.Nodes, "steps": c.Steps, "expected": map[string]any{"topics": map[string]any{}, "stores": map[string]any{}, "dropped": 0},
	})
	if err != nil {
		panic(err) // nothing in it cannot be written
	}
	return b
}

// repeatable reports whether steps come to be processed in the same order when all of them are there at once: then a task takes
// the record with the smallest time of the heads of its topics.
func repeatable(steps []Step) bool {
	oneTopic := !slices.ContainsFunc(steps, func(s Step) bool { return s.Topic != steps[0].Topic })
	rising := slices.IsSortedFunc(steps, func(a, b Step) int { return cmp.Compare(a.Time, b.Time) })
	return oneTopic || rising
}
