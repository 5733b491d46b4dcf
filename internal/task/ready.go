package task

import (
	"fmt"
	"time"
)

// A gate holds whether the empty inputs of a task allow it to take up a record (KIP-695): each could still hold an
// earlier one.
type gate struct {
	looked bool
	open   bool
}

// A hold keeps a task from taking up records until a time.
type hold struct {
	until time.Time
	why   string
}

// SetEnd tells the end of an input (last stable offset), asked for after the last Add of it: proves lag 0 when the
// position has reached it. An answer to a question asked before the last Add proves nothing and must not be passed on.
func (t *Task) SetEnd(tp TP, end int64) {
	in := t.input(tp)
	if !in.known {
		return
	}
	in.endKnown, in.end = true, end
	if !in.proven() {
		in.idleFrom = time.Time{}
	}
	t.gate = gate{}
}

// NeedEnds returns inputs whose end the task must know to go on.
func (t *Task) NeedEnds() []TP {
	t.clock = time.Time{}
	if !t.needProof() && (t.c.MaxIdle < 0 || t.empty == 0 || t.empty == len(t.inputs)) {
		return nil
	}
	var need []TP
	for _, in := range t.inputs {
		if in.known && in.buffered() == 0 && !in.endKnown {
			need = append(need, in.tp)
		}
	}
	return need
}

// Ready reports whether Process would take up a record now, and if not, why ("" when simply nothing is buffered), and
// when to look again (zero: only after a new event).
func (t *Task) Ready() (ok bool, why string, again time.Time) {
	t.clock = time.Time{}
	if err := t.usable(); err != nil {
		return false, err.Error(), time.Time{}
	}
	if t.lost > 0 {
		return false, t.whyLost(), time.Time{}
	}
	if t.empty == len(t.inputs) {
		return false, "", time.Time{}
	}
	if t.held() {
		return false, t.retry.why, t.retry.until
	}
	if in := t.awaited(); in != nil {
		return t.whyAwaited(in)
	}
	if t.ahead.stalled != nil {
		return false, t.whyStalled(), time.Time{}
	}
	return true, "", time.Time{}
}

// held reports whether a policy's Retry keeps the task from going on.
func (t *Task) held() bool {
	if t.retry.until.IsZero() {
		return false
	}
	if t.now().Before(t.retry.until) {
		return true
	}
	t.retry = hold{}
	return false
}

// mayTake reports whether the empty inputs allow to take up the smallest head. The answer changes within a call of
// Process only when an input runs empty, so it is kept until then.
func (t *Task) mayTake() bool {
	if t.empty == 0 {
		return true
	}
	if !t.gate.looked {
		t.gate = gate{looked: true, open: t.awaited() == nil}
	}
	return t.gate.open
}

// awaited returns an empty input that keeps the task from going on; nil: none. An input holds the task until it is
// proven empty, and then MaxIdle longer. All idle inputs wait at the same time, not one after the other.
func (t *Task) awaited() (first *input) {
	if t.c.MaxIdle < 0 || t.empty == 0 {
		return nil
	}
	for _, in := range t.inputs {
		if in.buffered() > 0 || in.proven() && !t.idling(in) {
			continue
		}
		if first == nil {
			first = in
		}
	}
	return first
}

// idling reports whether an input that is proven empty has been so for less than MaxIdle.
func (t *Task) idling(in *input) bool {
	if t.c.MaxIdle == 0 {
		return false
	}
	if in.idleFrom.IsZero() {
		in.idleFrom = t.now()
	}
	return t.now().Before(in.idleFrom.Add(t.c.MaxIdle))
}

func (t *Task) whyAwaited(in *input) (bool, string, time.Time) {
	switch {
	case !in.endKnown:
		return false, fmt.Sprintf("input %s is empty and its end is not known: an earlier record may wait there", in.tp), time.Time{}
	case in.next < in.end:
		return false, fmt.Sprintf("input %s is empty but at %d, before its end %d: waiting for its records", in.tp, in.next, in.end), time.Time{}
	}
	again := in.idleFrom.Add(t.c.MaxIdle)
	return false, fmt.Sprintf("input %s is at its end: waiting %v for new records", in.tp, t.c.MaxIdle), again
}

func (t *Task) whyLost() string {
	for _, in := range t.inputs {
		if !in.known {
			return fmt.Sprintf("position of input %s is not known yet", in.tp)
		}
	}
	return ""
}
