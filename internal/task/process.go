package task

import (
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// Process takes up to max records off the inputs, in event-time order: processed, skipped and dropped ones count. It
// returns early when a commit is requested, when it must wait (Ready says for what), and when nothing is left. An error
// is fatal: the transaction must be aborted; until Abort it is returned again.
func (t *Task) Process(max int) (n int, err error) {
	t.clock = time.Time{}
	t.gate = gate{}
	t.count = 0
	if err := t.usable(); err != nil {
		return 0, err
	}
	for t.count < max && t.lost == 0 && !t.held() {
		c := t.run(max)
		if c == nil {
			break
		}
		if err := t.judge(c); err != nil {
			t.failed = err
			return t.count, err
		}
	}
	return t.count, nil
}

// run takes up records until one fails or none is to be taken up. It recovers once for the whole run, not for each
// record: setting up a recovery costs as much as a small operator.
func (t *Task) run(max int) (c *caught) {
	defer func() {
		if p := recover(); p != nil {
			c = catch(p)
		}
	}()
	for t.count < max {
		in := t.next(max)
		if in == nil {
			break
		}
		if in.warmed == 0 && len(in.warms) > 0 {
			t.warmUp(in)
		}
		t.begin(in)
		in.run(&t.meta, &in.recs[in.head])
		if t.broken != nil {
			return &caught{} // user code went on without noticing
		}
		t.finish(in)
		if t.commit {
			break
		}
	}
	t.stage = idle
	return nil
}

// next returns the input whose head is to be taken up; nil: there is none, or it must wait.
func (t *Task) next(max int) *input {
	for len(t.fresh) > 0 {
		in := t.fresh[len(t.fresh)-1]
		t.cur, t.stage = in, timing
		t.meta.Node = int32(in.node.ID)
		r := &in.recs[in.head]
		at := r.Time
		if f := in.node.Source.Time; f != nil {
			var err error
			if at, err = f(in.tp.Topic, in.tp.Partition, r, in.time); err != nil {
				record.Fail(t.meta.Node, err)
			}
		}
		if at < 0 {
			t.drop(in.node, NegativeTime)
			t.advance(in)
			if t.count >= max {
				t.stage = idle
				return nil
			}
			continue
		}
		t.fresh = t.fresh[:len(t.fresh)-1]
		in.headTime = at
		t.pushHead(in)
	}
	t.stage = idle
	switch {
	case len(t.heads) == 0 || !t.mayTake():
		return nil
	case len(t.ahead.steps) > 0:
		return t.await(t.heads[0])
	}
	return t.heads[0]
}

// begin takes up the head of an input: moves the times on and fills in Meta.
func (t *Task) begin(in *input) {
	r := &in.recs[in.head]
	t.cur, t.stage = in, running
	if t.guarded {
		t.mark(in)
	}
	if len(in.previews) > 0 {
		in.previews[0].rewind()
	}
	if in.time < in.headTime {
		in.time = in.headTime
		if t.streamTime < in.headTime {
			t.streamTime = in.headTime
		}
	}
	t.meta = record.Meta{
		Time:    in.headTime,
		Headers: r.Headers,
		NoKey:   r.Key == nil,
		NoValue: r.Value == nil,
		Node:    int32(in.node.ID),
	}
}

// finish passes on the outputs of the record in hand and takes it off its input.
func (t *Task) finish(in *input) {
	if len(t.outs) > 0 {
		t.release()
	}
	t.last = topology.Position{Topic: in.tp.Topic, Partition: in.tp.Partition, Offset: in.recs[in.head].Offset}
	t.advance(in)
}

// release hands over the outputs that waited for the record or timer in hand to be through.
func (t *Task) release() {
	t.releasing = true
	for i := range t.outs {
		t.send(&t.outs[i].out, t.outs[i].node)
		t.outs[i] = output{}
	}
	t.outs = t.outs[:0]
	t.releasing = false
}

// A savepoint is what a record or timer that failed is rolled back to.
type savepoint struct {
	marks         []int // of Task.dbs
	partitionTime int64
	streamTime    int64
	timers, stops int
	commit        bool
	logs          int
	clocks        []int64
}

// mark takes a savepoint; in is nil for a timer.
func (t *Task) mark(in *input) {
	s := &t.save
	s.marks = s.marks[:0]
	for _, db := range t.dbs {
		s.marks = append(s.marks, db.Mark())
	}
	s.streamTime = t.streamTime
	if in != nil {
		s.partitionTime = in.time
	}
	s.timers, s.stops, s.commit, s.logs = len(t.timers), len(t.stops), t.commit, len(t.logs)
	s.clocks = s.clocks[:0]
	for _, c := range t.clocks {
		s.clocks = append(s.clocks, c.Now())
	}
}

// rollback takes back everything since the savepoint but times: writes, outputs, and timers started and stopped.
func (t *Task) rollback() {
	for i, db := range t.dbs {
		db.Rollback(t.save.marks[i])
	}
	for i, at := range t.save.clocks {
		t.clocks[i].Set(at)
	}
	clear(t.logs[t.save.logs:])
	t.logs = t.logs[:t.save.logs]
	defer t.rolledBack()
	clear(t.outs)
	t.outs = t.outs[:0]
	for _, tm := range t.stops[t.save.stops:] {
		tm.stopped = false
	}
	clear(t.stops[t.save.stops:])
	t.stops = t.stops[:t.save.stops]
	clear(t.timers[t.save.timers:])
	t.timers = t.timers[:t.save.timers]
	t.commit = t.save.commit
}

// rollbackTime takes back that the record in hand moved the times on.
func (t *Task) rollbackTime() {
	t.cur.time, t.streamTime = t.save.partitionTime, t.save.streamTime
}
