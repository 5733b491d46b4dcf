package kstest

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// Driver runs one topology on a clock moved by hand. Failures are reported through the testing.TB it was made with. It
// belongs to the goroutine of the test.
type Driver struct {
	t       testing.TB
	plan    *graph.Plan
	options options
	log     *slog.Logger
	now     time.Time

	topics  map[string]*topic // by full name: source, repartition, output and changelog topics
	written int64             // records written to any topic: the order of all of them
	cursors map[string]*cursor
	times   map[string]time.Time // latest time sent, by source topic
	counts  map[string]int32     // partitions of source and repartition topics
	sources [][]string           // topics read, by subtopology
	workers []*worker
	globals []*globalTable

	errors  []*topology.RecordError
	dropped map[string]int
	stopped error // the app has stopped with it
	closed  bool
}

// New starts a driver; it is closed when the test ends. A topology that cannot run, such as one with topics that must be
// co-partitioned and are not, fails the test.
func New(t testing.TB, top *topology.Topology, opts ...Option) *Driver {
	t.Helper()
	o := options{partitions: 1, start: time.Unix(0, 0), application: "app"}
	for _, opt := range opts {
		opt.change(&o)
	}
	d := &Driver{
		t: t, plan: (*graph.Plan)(top), options: o, now: o.start,
		topics: map[string]*topic{}, cursors: map[string]*cursor{}, times: map[string]time.Time{}, dropped: map[string]int{},
	}
	d.log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	if o.partitions < 1 {
		t.Fatalf("kstest: PartitionCount(%d): want 1 or more", o.partitions)
	}
	if o.oneTask {
		if o.partitions > 1 {
			t.Fatalf("kstest: OneTask and PartitionCount(%d): one task has one partition of each topic", o.partitions)
		}
		d.plan = together(d.plan)
	}
	d.layOut()
	d.open()
	t.Cleanup(d.Close)
	d.settle()
	return d
}

// withoutTime leaves the real time out of what a topology logs: it has nothing to do with the clock of the test.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}

// Close ends the tasks; functions given to OnClose run. Nothing is committed. It is called by itself when the test ends,
// and may be called before.
func (d *Driver) Close() {
	if d.closed {
		return
	}
	d.closed = true
	for _, w := range d.workers {
		w.close()
	}
	d.closeGlobals()
}

// Now returns the clock of the test.
func (d *Driver) Now() time.Time { return d.now }

// Advance moves the wall clock, firing the timers of processors that are due: each once, however far it moves. Records that
// wait for their Retry are tried again.
func (d *Driver) Advance(by time.Duration) {
	d.t.Helper()
	if by < 0 {
		d.t.Fatalf("kstest: Advance(%v): time does not go back", by)
	}
	d.usable()
	d.now = d.now.Add(by)
	for _, w := range d.workers {
		d.punctuate(w)
	}
	d.settle()
}

// Errors returns the failures the error policy given by OnError, or one of the topology, was asked about, in order.
func (d *Driver) Errors() []*topology.RecordError { return slices.Clone(d.errors) }

// Dropped returns how many records were dropped, by reason: "skipped" by an error policy, "negative-time", and the reasons of
// verbs, such as "null-key". A driver that dropped none returns an empty map.
func (d *Driver) Dropped() map[string]int { return maps.Clone(d.dropped) }

// Topics returns the names of all topics that hold records, sorted: those sent to, those the topology wrote, and changelogs.
// What was written and is not committed yet is not there.
func (d *Driver) Topics() []string {
	var names []string
	for name, t := range d.topics {
		if len(t.order) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Stopped returns the error the app has stopped with, nil while it runs. It takes OnError to see one: without, a failure
// fails the test.
func (d *Driver) Stopped() error { return d.stopped }

// usable fails the test if the driver cannot go on.
func (d *Driver) usable() {
	d.t.Helper()
	switch {
	case d.closed:
		d.t.Fatalf("kstest: the driver is closed")
	case d.stopped != nil:
		d.t.Fatalf("kstest: the app has stopped: %v", d.stopped)
	}
}

// stop ends the app as a failure would. The transactions in hand are lost with it.
func (d *Driver) stop(err error) {
	d.t.Helper()
	d.stopped = err
	for _, w := range d.workers {
		w.abort()
	}
	if d.options.policy == nil {
		d.t.Fatalf("kstest: the app has stopped: %v", err)
	}
}

// fail reports what makes no sense to go on after.
func (d *Driver) fail(err error) {
	d.t.Helper()
	d.t.Fatalf("kstest: %v", err)
}

// write appends a record to a topic. The topic is made when it is first written to.
func (d *Driver) write(o record.Out) {
	t := d.topic(o.Topic)
	p := o.Partition
	if p < 0 { // anywhere: in turn
		p = int32(t.turn % len(t.partitions))
		t.turn++
	}
	if int(p) >= len(t.partitions) {
		d.fail(fmt.Errorf("a record was written to partition %d of topic %q, which has %d", p, o.Topic, len(t.partitions)))
	}
	log := t.partitions[p]
	in := record.In{Key: o.Key, Value: o.Value, Headers: o.Headers, Time: o.Time, Offset: int64(len(log))}
	d.written++
	t.partitions[p] = append(log, written{in, d.written})
	t.order = append(t.order, place{p, in.Offset})
	d.follow(o.Topic, p, in)
}
