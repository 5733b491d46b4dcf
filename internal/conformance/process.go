package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A processor of the language, over text. start makes that of one task: it gets what sends records on.
type processor struct {
	start  func(t *topology.Task, out sender) func(r textRecord) error
	stores []store.Spec
	routes []string // names of next steps that it sends to alone
}

// A textRecord is a record whose key and value are text.
type textRecord = topology.Record[*string, *string]

// A sender sends records on.
type sender struct {
	send func(r textRecord)
	to   func(step string) sender // sends to one of the next steps alone
}

// value sends r with another value.
func (s sender) value(r textRecord, v string) { s.send(r.WithValue(&v)) }

// process runs a processor. Keys and values become text.
func (x stream[S, N, K, V]) process(n *Node) element {
	d, text := x.p.processor(n), x.p.text
	var sending func(out topology.Out[S, S]) sender
	sending = func(out topology.Out[S, S]) sender {
		return sender{
			send: func(r textRecord) {
				out.SendRecord(topology.Record[S, S]{Key: text.of(r.Key), Value: text.of(r.Value), Time: r.Time, Headers: r.Headers})
			},
			to: func(step string) sender { return sending(out.To(step)) },
		}
	}
	s := x.s.Process(n.ID, func(t *topology.Task, out topology.Out[S, S]) topology.Handler[K, V] {
		handle := d.start(t, sending(out))
		return func(_ context.Context, r topology.Record[K, V]) error { return handle(asText(r, x.k, x.v)) }
	}, d.stores...)
	y := texts(x, n, s)
	y.routes = d.routes
	return y
}

// asText returns a record as processors of the language see it: a missing key or value is null.
func asText[K, V any](r topology.Record[K, V], k kind[K], v kind[V]) textRecord {
	t := textRecord{Time: r.Time, Headers: r.Headers}
	if r.HasKey() {
		t.Key = k.text(r.Key)
	}
	if r.HasValue() {
		t.Value = v.text(r.Value)
	}
	return t
}

// routed returns the stream that the operation follows. The next steps of a router have names; sinks have none of their own, so
// that each begins with a step that does nothing.
func (x stream[S, N, K, V]) routed(n *Node) stream[S, N, K, V] {
	if slices.Contains(x.routes, n.ID) {
		x.s = x.s.Peek(func(K, V) {}).As(n.ID)
	}
	x.routes = nil
	return x
}

// processValues runs a processor that keeps the key.
func (x stream[S, N, K, V]) processValues(n *Node) element {
	text, stores := x.p.text, x.p.stores(n)
	var start func(t *topology.Task, out topology.OutValue[S]) func(r textRecord)
	switch name := n.text("processor"); name {
	case "stamp":
		start = func(_ *topology.Task, out topology.OutValue[S]) func(r textRecord) {
			return func(r textRecord) { out.Send(text.of(new(fmt.Sprintf("%s@%d", shown(r.Value), r.Time.UnixMilli())))) }
		}
	case "twice":
		start = func(_ *topology.Task, out topology.OutValue[S]) func(r textRecord) {
			return func(r textRecord) {
				out.Send(text.of(new(shown(r.Value) + "#0")))
				out.SendAt(r.Time.Add(millisecond), text.of(new(shown(r.Value)+"#1")))
			}
		}
	case "fixedCounter":
		spec := stores.first(n).keyValue(n)
		start = func(t *topology.Task, out topology.OutValue[S]) func(r textRecord) {
			count := counting(x.p.rows(t, spec))
			return func(r textRecord) { out.Send(text.of(new(count(r.Key)))) }
		}
	default:
		unknown("processor %q", name)
	}
	s := x.s.ProcessValues(n.ID, func(t *topology.Task, out topology.OutValue[S]) topology.Handler[K, V] {
		handle := start(t, out)
		return func(_ context.Context, r topology.Record[K, V]) error {
			handle(asText(r, x.k, x.v))
			return nil
		}
	}, stores.specs()...)
	return textValues(x, s)
}
