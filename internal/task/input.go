package task

import (
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// An input is one partition of a source topic: what was fetched and not yet processed, and how far it is.
//
//	 committed.offset        offset()             next                end
//	      │  processed          │   buffered         │   to be fetched   │
//	──────┴─────────────────────┴────────────────────┴───────────────────┴──►
//
// committed.offset <= offset() <= next
type input struct {
	tp    TP
	index int // among the task's inputs
	node  *graph.Node
	run   func(m *record.Meta, in *record.In)
	peek  func(m *record.Meta, in *record.In) // runs what stands before steps that wait for calls; nil: none does

	recs   []record.In // recs[head:] wait, ascending by offset; recs[:head] are zero
	head   int
	warms  []warm // stores looked up under the keys of records
	warmed int    // records from head on whose rows are at hand
	bytes  int64  // of recs[head:]

	previews []*preview // of recs[head:head+len(previews)]

	known bool  // next is known
	next  int64 // the reader's position
	epoch int32 // leader epoch of the last record taken up; -1: unknown

	time     int64 // highest event time taken up; -1: none
	headTime int64 // event time of recs[head], while the input is in Task.heads
	queued   bool  // the input is in Task.heads

	endKnown bool      // end was asked for after the last record arrived
	end      int64     // last stable offset
	idleFrom time.Time // when the input was first seen proven empty; zero: not

	resumed struct { // what the committed offset came with, until all inputs were resumed
		progress map[string]int64
		foreign  bool // somebody else committed it
	}

	offered   int64 // what Offsets returned last
	told      bool  // an offset that the input had moved to is committed
	committed struct {
		offset int64
		time   int64
		epoch  int32
	}
}

func (in *input) buffered() int { return len(in.recs) - in.head }

// offset is what to commit: the next record to process. When none is buffered, the reader's position: behind the last
// record there may be markers of transactions and holes, and the lag must reach 0 nevertheless.
func (in *input) offset() int64 {
	if in.head < len(in.recs) {
		return in.recs[in.head].Offset
	}
	return in.next
}

// proven reports that no record was waiting when the end was asked for, and none has come since.
func (in *input) proven() bool { return in.endKnown && in.next >= in.end }

func (in *input) forgetEnd() { in.endKnown, in.idleFrom = false, time.Time{} }

func (in *input) add(recs []record.In) {
	if in.head > 0 && len(in.recs)+len(recs) > cap(in.recs) {
		n := copy(in.recs, in.recs[in.head:])
		clear(in.recs[n:])
		in.recs, in.head = in.recs[:n], 0
	}
	in.recs = append(in.recs, recs...)
	for i := range recs {
		in.bytes += size(&recs[i])
	}
	if last := recs[len(recs)-1].Offset + 1; in.next < last {
		in.next = last
	}
}

func size(r *record.In) int64 {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return int64(n)
}

// advance takes the head off an input: it is processed, skipped or dropped.
func (t *Task) advance(in *input) {
	r := &in.recs[in.head]
	in.epoch = r.Epoch
	in.bytes -= size(r)
	*r = record.In{} // lets go of the fetched bytes
	in.head++
	in.forget()
	in.warmed = max(0, in.warmed-1)
	empty := in.head == len(in.recs)
	if empty {
		in.recs, in.head = in.recs[:0], 0
		t.empty++
		t.gate = gate{}
	}
	if in.queued {
		t.dropHead(in)
		if !empty {
			t.fresh = append(t.fresh, in)
		}
	} else if empty {
		t.dropFresh(in)
	}
	t.count++
}

// drain drops all records of an input.
func (t *Task) drain(in *input) {
	if in.buffered() == 0 {
		return
	}
	clear(in.recs)
	in.recs, in.head, in.bytes, in.warmed = in.recs[:0], 0, 0, 0
	in.forgetAll()
	t.ahead.stalled = nil
	t.empty++
	if in.queued {
		t.dropHead(in)
	} else {
		t.dropFresh(in)
	}
}

func (t *Task) dropFresh(in *input) {
	for i, f := range t.fresh {
		if f == in {
			t.fresh = append(t.fresh[:i], t.fresh[i+1:]...)
			return
		}
	}
}

// before orders heads by event time, then by the order of inputs.
func before(a, b *input) bool {
	return a.headTime < b.headTime || a.headTime == b.headTime && a.index < b.index
}

// pushHead adds an input to the heap of heads.
func (t *Task) pushHead(in *input) {
	in.queued = true
	t.heads = append(t.heads, in)
	h := t.heads
	for i := len(h) - 1; i > 0; {
		p := (i - 1) / 2
		if !before(h[i], h[p]) {
			return
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
}

// dropHead removes an input from the heap of heads. It is the smallest, as a rule.
func (t *Task) dropHead(in *input) {
	last := len(t.heads) - 1
	in.queued = false
	for i, h := range t.heads {
		if h != in {
			continue
		}
		t.heads[i] = t.heads[last]
		t.heads = t.heads[:last]
		if i == 0 {
			t.sink(0)
			return
		}
		break
	}
	for i := last/2 - 1; i >= 0; i-- {
		t.sink(i)
	}
}

func (t *Task) sink(i int) {
	h := t.heads
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && before(h[c+1], h[c]) {
			c++
		}
		if !before(h[c], h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}
