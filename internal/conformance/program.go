package conformance

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A program is a topology written with the public verbs. S is how it writes text (string, or *string where functions see
// nulls), N how it writes the numbers of a stream (int64, or *int64).
type program[S, N any] struct {
	c       *Case
	b       *topology.Builder
	text    kind[S]
	numbers kind[N]
	own     bool                      // no fault of Kafka Streams is copied
	counts  kind[int64]               // of tables, which show functions no null
	number  func(n int64, has bool) N // makes a number of a row that is there or not
	nulls   *atomic.Bool              // a function has met a null
	named   map[string]element        // by id
	sources map[string]topology.Topic[S, S]
	merged  map[string]any                    // streams after the repartition topic that they share, by the operation that changed the key
	known   map[string]declared[S]            // stores, by name
	dumps   map[string]func(d *reading) Store // of the stores that can be read, by name
}

// An element is what an operation gives: a stream, a table, a grouping. verb returns what the next operation makes of it, nil
// if it has no such operation.
type element interface{ verb(n *Node) element }

// An ending is what follows an operation that nothing can follow.
type ending struct{}

func (ending) verb(*Node) element { return nil }

func newProgram[S, N any](c *Case, text kind[S], numbers kind[N], number func(int64, bool) N) *program[S, N] {
	nulls := new(atomic.Bool)
	return &program[S, N]{
		c: c, b: topology.NewBuilder(), nulls: nulls,
		text: text.watched(nulls), numbers: numbers.watched(nulls), number: number,
		counts: kind[int64]{"int64", plainNumbers().serde, plainNumbers().text, nil},
		named:  map[string]element{}, sources: map[string]topology.Topic[S, S]{},
		merged: map[string]any{}, known: map[string]declared[S]{}, dumps: map[string]func(*reading) Store{},
	}
}

// nullable is the program whose functions see nulls, plain that of cases where there are none to see.
func nullable(c *Case) *program[*string, *int64] {
	return newProgram(c, nullableStrings(), nullableNumbers(), func(n int64, has bool) *int64 {
		if !has {
			return nil
		}
		return &n
	})
}

func plain(c *Case) *program[string, int64] {
	return newProgram(c, plainStrings(), plainNumbers(), func(n int64, _ bool) int64 { return n })
}

// build makes the topology. An Unknown comes as a panic.
func (p *program[S, N]) build() (*topology.Topology, error) {
	if err := p.onlyOneReader(); err != nil {
		return nil, err
	}
	for _, n := range p.c.Topology {
		p.add(n)
	}
	for _, n := range p.c.Topology {
		if left := n.rest(); len(left) > 0 {
			unknown("%s %s: nobody knows %q", n.Op, n.ID, left)
		}
	}
	return p.b.Build()
}

// onlyOneReader refuses what Kafka Streams refuses and Millrace allows: a topic that is read as a stream and as a table. It is
// a rule of the language of cases.
func (p *program[S, N]) onlyOneReader() error {
	reader := map[string]string{}
	for _, n := range p.c.Topology {
		var topics []string
		switch n.Op {
		case "stream":
			topics = n.list("topics")
		case "table", "globalTable":
			topics = n.list("topic")
		}
		for _, t := range topics {
			if was := reader[t]; was != "" && (was != n.Op || n.Op != "stream") {
				return fmt.Errorf("topic %q is read by a %s and by a %s", t, was, n.Op)
			}
			reader[t] = n.Op
		}
	}
	return nil
}

// add makes one operation.
func (p *program[S, N]) add(n *Node) {
	e := p.start(n)
	if e == nil {
		if !n.has("in") && !n.has("left") {
			unknown("%s: no such operation", n)
		}
		from := "in"
		if n.has("left") {
			from = "left"
		}
		before := p.element(n, from)
		if e = before.verb(n); e == nil {
			unknown("%s: no such operation on a %s", n, strings.TrimPrefix(fmt.Sprintf("%T", before), "conformance."))
		}
	}
	if n.ID != "" && n.Op != "split" {
		p.name(n.ID, e)
	}
}

func (p *program[S, N]) name(id string, e element) {
	if p.named[id] != nil {
		unknown("id %q is used twice", id)
	}
	p.named[id] = e
}

// element returns what a field of an operation names.
func (p *program[S, N]) element(n *Node, field string) element {
	id := n.text(field)
	e := p.named[id]
	if e == nil {
		unknown("%s: %s=%q names nothing before it", n, field, id)
	}
	return e
}

// millis returns a number of milliseconds as a duration.
func (p *program[S, N]) millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// options reads the store fields of an operation.
func (p *program[S, N]) options(n *Node) (opts []store.Option) {
	if !n.flag("caching", true) || p.c.Config.CacheBytes == 0 {
		opts = append(opts, store.NoCache())
	}
	if !n.flag("logging", true) {
		opts = append(opts, store.NoChangelog())
	}
	if n.one("storeType", "", "inMemory") == "inMemory" || p.c.Config.Stores == "inMemory" {
		opts = append(opts, store.InMemory())
	}
	if n.has("retentionMs") {
		opts = append(opts, store.Retention(n.span("retentionMs")))
	}
	if n.has("versionedMs") {
		opts = append(opts, store.History(n.span("versionedMs")))
	}
	if n.has("segmentMs") {
		opts = append(opts, store.SegmentInterval(n.span("segmentMs")))
	}
	return opts
}
