package integration

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// A scenario is a part of the application that is put under load: what it does, what is fed to it, and what must come out, worked
// out by plain maps from what was fed, with no code of the library.
type scenario struct {
	name   string
	inputs []string

	// build adds its steps. They read topics of its inputs, by these names, and write the one called "out".
	build func(b *topology.Builder, topic func(string) topic)

	// feed returns the records of a moment, with Topic one of the inputs. The time of a tick is later than all of earlier ticks.
	feed func(tick int, at time.Time, rnd *rand.Rand) []*kgo.Record

	// last returns the records that close what is open, before the load rests; nil: there is nothing to close.
	last func(at time.Time) []*kgo.Record

	// results works out what must be in the output: by key, the values in their order. It gets all records fed, in the order of their
	// offsets in each partition; partition and time are set.
	results func(fed []*kgo.Record) results

	equal comparison

	// loosely takes out of results what is not determined where brokers fail: an input whose leader is away looks empty, so what comes
	// from others meanwhile is not put in order with it. nil: everything is determined.
	loosely func(results) results
}

// topic is what all scenarios read and write: text is easy to compare, and serdes have tests of their own.
type topic = topology.Topic[string, string]

// results are the values of each key.
type results map[string][]string

func (r results) add(key, value string) { r[key] = append(r[key], value) }

// A comparison says in what way results have to be equal.
type comparison int

const (
	inOrder  comparison = iota // every result of a key, in order
	anyOrder                   // every result of a key, once
	lastOnly                   // the last result of a key; what came before depends on what met whom first
)

// compare says how what is in the output differs from what the records fed must have come to.
func (s scenario) compare(got, want results, loosely bool) []string {
	if loosely && s.loosely != nil {
		got, want = s.loosely(got), s.loosely(want)
	}
	return s.equal.differ(got, want)
}

// differ says how results differ from what they must be; nothing: they do not. The list is cut where it says enough.
func (c comparison) differ(got, want results) []string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(union(got, want))) {
		g, w := c.of(got[key]), c.of(want[key])
		if slices.Equal(g, w) {
			continue
		}
		i := 0
		for i < min(len(g), len(w)) && g[i] == w[i] {
			i++
		}
		list = append(list, fmt.Sprintf("%s: %d results, want %d; the %d. is %q, want %q", key, len(g), len(w), i+1, at(g, i), at(w, i)))
		if len(list) == 5 {
			return append(list, "…")
		}
	}
	return list
}

func (c comparison) of(values []string) []string {
	switch c {
	case anyOrder:
		return slices.Sorted(slices.Values(values))
	case lastOnly:
		if len(values) == 0 || values[len(values)-1] == "" { // a deletion: also of a row that never was
			return nil
		}
		return values[len(values)-1:]
	}
	return values
}

func union(a, b results) results {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// scenarios are all of them; one application runs them together, so that whatever happens to it happens to each.
var scenarios = []scenario{words, pairs, orders, accounts, people, clicks}

// soakTopology is that application.
func soakTopology() (*topology.Topology, error) {
	b := topology.NewBuilder()
	for _, s := range scenarios {
		s.build(b, func(name string) topic {
			return topology.NewTopic(s.topic(os.Getenv("MILLRACE_APP"), name), serde.String, serde.String)
		})
	}
	return b.Build()
}

// topic returns the name of one of its topics in Kafka.
func (s scenario) topic(app, name string) string {
	return strings.Join([]string{app, s.name, name}, "-")
}

// write is a record of a scenario's input.
func write(topic, key, value string, at time.Time) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value), Timestamp: at}
}

// remove is a deletion.
func remove(topic, key string, at time.Time) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(key), Timestamp: at}
}
