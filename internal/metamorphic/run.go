package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"

	"github.com/millrace-streams/millrace/internal/conformance"
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store/pebblestore"
	"github.com/millrace-streams/millrace/topology"
)

// A Result is what a run has committed: the records of the sinks, and what stores hold.
type Result struct {
	Sinks  map[string][]event
	Stores map[string]conformance.Store
}

// A Runner runs cases. It belongs to one goroutine.
type Runner struct {
	Engine *pebblestore.Engine // of variants on Pebble
	Dir    string              // for their databases
	runs   int
}

// Run runs a case in a variant. In the end the app is restarted once more, if the variant restarts at all: that must change
// nothing that stores hold, and send nothing. An error is what the app has stopped with, or a difference that such a restart makes.
func (r *Runner) Run(c *Case, v Variant) (res *Result, err error) {
	built, err := build(c, conformance.Options{Plain: v.Plain, Own: true})
	if err != nil {
		return nil, err
	}
	tb := &conformance.Bench{}
	defer tb.Close()
	defer conformance.Failed(&err)
	x := &run{v: v, c: c, Rand: rand.New(rand.NewPCG(v.Seed, 2)), built: built}
	opts := []kstest.Option{kstest.ApplicationID(app), kstest.PartitionCount(c.Partitions)}
	if v.OneTask {
		opts = append(opts, kstest.OneTask())
	}
	if v.Manual > 0 {
		opts = append(opts, kstest.ManualCommit())
	}
	if v.Between > 0 {
		opts = append(opts, kstest.CommitBetween(func() bool { return x.chance(v.Between) }))
	}
	if v.Pebble {
		r.runs++
		dir := fmt.Sprintf("%s/%d", r.Dir, r.runs)
		defer os.RemoveAll(dir)
		x.disk = newDisk(r.Engine, dir, v.Backward > 0)
	} else if v.Rebuild+v.Reopen+v.Backward > 0 {
		x.disk = newDisk(nil, "", false)
	}
	if x.disk != nil {
		opts = append(opts, kstest.Databases(x.disk.open))
	}
	x.d = kstest.New(tb, built.Topology, opts...)
	x.all()
	return x.result()
}

// A run is a case on its way.
type run struct {
	*rand.Rand
	c        *Case
	v        Variant
	d        *kstest.Driver
	built    *conformance.Built
	disk     *disk
	since    int // the first step that may be uncommitted
	restarts bool
}

func (x *run) chance(percent int) bool { return x.IntN(100) < percent }

// all does the steps, with what the variant has happen between them.
func (x *run) all() {
	text := serde.Nullable(serde.String)
	for i, s := range x.c.Steps {
		x.disturb(i)
		rec := topology.Record[*string, *string]{Key: s.Key, Value: s.Value, Time: at(s.Time)}
		x.d.Input(topology.NewTopic(s.Topic, text, text)).SendRecord(rec)
		if x.v.Manual > 0 && x.chance(x.v.Manual) {
			x.commit(i + 1)
		}
	}
	x.commit(len(x.c.Steps))
}

func (x *run) commit(next int) {
	x.d.Commit()
	x.since = next
}

// disturb restarts the app before a step, if it is time to. What is not committed is processed again, in an order that must
// be the same: where it need not be, it is committed before.
func (x *run) disturb(step int) {
	if x.disk == nil {
		return
	}
	var prepare func()
	switch {
	case x.chance(x.v.Rebuild):
		prepare = x.disk.rebuild
	case x.chance(x.v.Reopen):
		prepare = x.disk.reopen
	case x.chance(x.v.Backward):
		prepare = x.disk.backward
	default:
		return
	}
	if x.v.Manual > 0 && step > x.since && !repeatable(x.c.Steps[x.since:step]) {
		x.commit(step)
	}
	x.restart(prepare)
}

func (x *run) restart(prepare func()) {
	x.restarts = true
	prepare() // the driver closes the old databases before it opens new ones
	x.d.Crash()
}

// result returns what is committed.
func (x *run) result() (*Result, error) {
	res := &Result{map[string][]event{}, x.built.Stores(x.d)}
	for _, s := range x.c.Sinks {
		res.Sinks[s.Topic] = x.read(s)
	}
	if !x.restarts {
		return res, nil
	}
	for _, prepare := range []func(){x.disk.reopen, x.disk.rebuild} {
		x.restart(prepare)
		x.d.Commit()
		for _, s := range x.c.Sinks {
			if more := x.read(s); len(more) > 0 {
				return nil, fmt.Errorf("a restart when all was processed sent to %s: %s", s.Topic, more)
			}
		}
		if again := x.built.Stores(x.d); !reflect.DeepEqual(res.Stores, again) {
			return nil, fmt.Errorf("a restart changed what stores hold: %s", storesDiffer(res.Stores, again))
		}
	}
	return res, nil
}

// read returns what was written to a sink since it was last read.
func (x *run) read(s Sink) (es []event) {
	for _, r := range x.d.Output(topology.NewTopic(s.Topic, serde.Bytes, serde.Bytes)).Rest() {
		var key, value []byte
		if r.HasKey() {
			key = r.Key
		}
		if r.HasValue() {
			value = r.Value
		}
		es = append(es, s.event(key, value, r.Time))
	}
	return es
}
