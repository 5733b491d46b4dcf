package task

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// caught is what a record, timer or emission ended with. The zero value: the storage engine failed and nobody noticed.
type caught struct {
	err     error
	node    int32
	hasNode bool // a Failure names its node; of a panic it is the one in Meta
}

func catch(p any) *caught {
	if f, ok := p.(record.Failure); ok {
		return &caught{err: f.Err, node: f.Node, hasNode: true}
	}
	return &caught{err: topology.NewPanicError(p)}
}

// judge decides about the record in hand that failed, and carries the decision out. The error is fatal.
func (t *Task) judge(c *caught) error {
	n, e := t.recordError(c)
	in := t.cur
	untimed := t.stage == timing
	action, fatal := t.decide(n, e, true)
	if fatal != nil {
		return fatal
	}
	// Every other action needs a policy, and where there is one, a savepoint was taken: except while the event time is
	// looked for, when nothing has been done yet.
	if !untimed {
		t.rollback()
	}
	t.stage = idle
	switch action.Kind {
	case graph.Retry:
		if !untimed {
			t.rollbackTime()
		}
		t.askAgain(in)
		t.retry = hold{
			until: t.now().Add(action.Delay),
			why:   fmt.Sprintf("%s failed at %s and is tried again after %v", e.Position, e.Node, action.Delay),
		}
		return nil
	case graph.DeadLetter:
		t.deadLetter(e, action.Topic, &in.recs[in.head])
	case graph.Skip:
		t.drop(n, Skipped)
	}
	if n == in.node && !untimed {
		// It could not be decoded: as far as time goes it was never there.
		t.rollbackTime()
	}
	t.last = e.Position
	t.advance(in)
	return nil
}

// decide asks the error policy about a failure, and tells it to OnError. record says whether there is a record in hand that
// can be retried or sent to a dead-letter topic. A non-nil error says that the failure is fatal.
func (t *Task) decide(n *graph.Node, e *topology.RecordError, record bool) (topology.Action, error) {
	action := topology.Fail()
	if policy := t.policy(n); policy != nil && t.broken == nil && t.stage != emitting && !t.releasing {
		action = ask(policy, e)
		switch {
		case action.Kind > graph.DeadLetter:
			e.Err = fmt.Errorf("%w (the error policy returned an unknown action, %d)", e.Err, action.Kind)
			action = topology.Fail()
		case action.Kind == graph.DeadLetter && action.Topic == "":
			e.Err = fmt.Errorf("%w (the error policy returned DeadLetter without a topic)", e.Err)
			action = topology.Fail()
		case !record && action.Kind != graph.Skip && action.Kind != graph.Fail:
			e.Err = fmt.Errorf("%w (the error policy returned %v, but there is no record in hand: only Skip and Fail apply)", e.Err, action)
			action = topology.Fail()
		}
	}
	if t.c.OnError != nil {
		t.c.OnError(e, action)
	}
	if action.Kind == graph.Fail {
		return action, e
	}
	return action, nil
}

// ask calls a policy. One that panics has not decided anything.
func ask(policy topology.ErrorPolicy, e *topology.RecordError) (action topology.Action) {
	defer func() {
		if p := recover(); p != nil {
			e.Err = errors.Join(e.Err, fmt.Errorf("and then the error policy panicked: %w", topology.NewPanicError(p)))
			action = topology.Fail()
		}
	}()
	return policy(e)
}

// recordError says what failed: the record in hand, or in a timer or emission the step.
func (t *Task) recordError(c *caught) (*graph.Node, *topology.RecordError) {
	id := t.meta.Node
	if c.hasNode {
		id = c.node
	}
	n := t.nodes[id]
	if n == nil {
		n = &graph.Node{ID: int(id), Name: "node " + strconv.Itoa(int(id)), At: "unknown"}
	}
	e := &topology.RecordError{Task: t.c.ID, Node: n.Name, At: n.At, Err: c.err}
	if t.broken != nil {
		e.Err = t.broken
	}
	switch t.stage {
	case timing, running:
		r := &t.cur.recs[t.cur.head]
		e.Position = topology.Position{Topic: t.cur.tp.Topic, Partition: t.cur.tp.Partition, Offset: r.Offset}
		e.Key, e.Value = r.Key, r.Value
	case emitting:
		e.Position = t.last
	default:
		e.Position = topology.Position{Partition: t.c.ID.Partition, Offset: -1}
	}
	return n, e
}

// deadLetter writes the record in hand, as it was fetched, to a topic.
func (t *Task) deadLetter(e *topology.RecordError, topic string, r *record.In) {
	message := e.Err.Error()
	if p := (*topology.PanicError)(nil); errors.As(e.Err, &p) {
		message = p.Message() // a stack is too long for a header
	}
	headers := make([]record.Header, 0, len(r.Headers)+5)
	headers = append(headers, r.Headers...)
	for _, h := range [...][2]string{
		{"millrace.error.message", message},
		{"millrace.error.node", e.Node},
		{"millrace.error.topic", e.Topic},
		{"millrace.error.partition", strconv.Itoa(int(e.Partition))},
		{"millrace.error.offset", strconv.FormatInt(e.Offset, 10)},
	} {
		headers = append(headers, record.Header{Key: h[0], Value: []byte(h[1])})
	}
	at := r.Time
	if at < 0 {
		at = t.now().UnixMilli() // Kafka refuses a negative timestamp
	}
	t.send(&record.Out{Topic: topic, Partition: t.partition(topic, r.Key), Key: r.Key, Value: r.Value, Headers: headers, Time: at}, t.meta.Node)
}

// partition returns where a dead letter goes: where every producer would put a record with this key.
func (t *Task) partition(topic string, key []byte) int32 {
	n := env{t}.Partitions(topic)
	if key == nil || n <= 0 {
		return -1
	}
	return partition.Of(key, n)
}
