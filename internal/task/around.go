package task

import (
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// around returns what Config.Around wants around a step, nil for nothing.
func (t *Task) around(n *graph.Node) func(m *record.Meta, handle func()) {
	if t.c.Around == nil {
		return nil
	}
	f := t.c.Around(topology.Step{Task: t.c.ID, Name: n.Name, Kind: n.Kind, At: n.At})
	if f == nil {
		return nil
	}
	id, e := int32(n.ID), env{t}
	return func(m *record.Meta, handle func()) {
		h := topology.Handling{Time: time.UnixMilli(m.Time), Headers: m.Headers}
		h.Topic, h.Partition, h.Offset, _ = e.Position()
		m.Node = id
		if err := f(t.ctx, h, handle); err != nil {
			record.Fail(id, err)
		}
	}
}

// wrapped is a function of a step, whatever its types.
type wrapped interface {
	Around(func(m *record.Meta, handle func())) any
}

// step returns the function of a step with what Config.Around wants around it. What is no function of records is a part of
// the step before.
func (t *Task) step(n *graph.Node, f any) any {
	if w, ok := f.(wrapped); ok {
		if around := t.around(n); around != nil {
			return w.Around(around)
		}
	}
	return f
}

// source is step for a source.
func (t *Task) source(n *graph.Node, f func(*record.Meta, *record.In)) func(*record.Meta, *record.In) {
	around := t.around(n)
	if around == nil {
		return f
	}
	var (
		m  *record.Meta
		in *record.In
	)
	handle := func() { f(m, in) }
	return func(meta *record.Meta, next *record.In) {
		m, in = meta, next
		around(meta, handle)
	}
}
