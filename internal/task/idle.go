package task

import (
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
)

// idleStep is how often event time moves on while nothing comes, at most.
const idleStep = time.Second

// An idling task has taken up nothing for a while. Where the topology asks for it (Sub.Idle), event time goes on with the wall
// clock then:
//
//	last record          + Idle                 a step each second at most
//	     ├──────────────────┼──────┼──────┼──────►  wall clock
//	stream time stands      stream time at the last record + time since then
//
// A step needs fresh proof that no record is waiting: a broker that does not answer must not close anybody's windows.
type idling struct {
	since  time.Time // first look at the task after its last record; zero: it is not idle
	from   int64     // stream time then
	step   time.Time // no earlier than this
	timers []*timer  // what operators do when event time went on, in the order of their nodes
}

// AtIdle implements graph.Env.
func (e env) AtIdle(n *graph.Node, f func()) {
	t := e.t
	t.idle.timers = append(t.idle.timers, &timer{t: t, node: n, every: 1, f: func(time.Time) error { f(); return nil }})
	slices.SortStableFunc(t.idle.timers, func(a, b *timer) int { return a.node.ID - b.node.ID })
}

// rest moves event time on if the task is idle and returns when to look again, the zero Time for only after a record.
func (t *Task) rest() (again time.Time, err error) {
	after := t.c.Sub.Idle
	if after <= 0 {
		return time.Time{}, nil
	}
	if t.streamTime < 0 || t.empty < len(t.inputs) {
		t.idle.since = time.Time{}
		return time.Time{}, nil
	}
	now := t.now()
	if t.idle.since.IsZero() {
		t.idle.since, t.idle.from, t.idle.step = now, t.streamTime, now.Add(after)
	}
	if now.Before(t.idle.step) {
		return t.idle.step, nil
	}
	again = now.Add(min(after, idleStep))
	for _, in := range t.inputs {
		if !in.proven() {
			return again, nil // NeedEnds has asked
		}
	}
	t.idle.step = again
	for _, in := range t.inputs {
		in.endKnown = false // the next step wants to know again
	}
	t.streamTime = max(t.streamTime, t.idle.from+now.Sub(t.idle.since).Milliseconds())
	for _, tm := range t.idle.timers {
		if err := t.fired(t.fire(tm, t.streamTime)); err != nil {
			return time.Time{}, err
		}
	}
	return again, nil
}

// needProof reports whether an idle task must know the ends of its inputs to go on.
func (t *Task) needProof() bool {
	return t.c.Sub.Idle > 0 && t.empty == len(t.inputs) && !t.idle.since.IsZero() && !t.now().Before(t.idle.step)
}
