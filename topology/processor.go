package topology

import (
	"context"
	"time"

	"github.com/millrace-streams/millrace/internal/proc"
	"github.com/millrace-streams/millrace/internal/record"
)

// Setup makes a processor: it runs once per task and returns what runs once per record. State that lives as long as the
// task, such as stores and timers, is set up here and kept in variables:
//
//	func watch(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, Order] {
//		seen := t.KeyValue(LastSeen)
//		return func(_ context.Context, r topology.Record[string, Order]) error { … }
//	}
type Setup[K, V, K2, V2 any] func(t *Task, out Out[K2, V2]) Handler[K, V]

// ValueSetup makes a processor that keeps the key.
type ValueSetup[K, V, V2 any] func(t *Task, out OutValue[V2]) Handler[K, V]

// Handler processes one record. An error, or a panic, is an error of the record: the policy decides. ctx ends when the
// task is closed.
type Handler[K, V any] func(ctx context.Context, r Record[K, V]) error

// BatchSetup makes a processor that takes several records at once.
type BatchSetup[K, V, K2, V2 any] func(t *Task, out Out[K2, V2]) BatchHandler[K, V]

// BatchHandler processes records together. The slice is the library's: it is good until the handler returns.
type BatchHandler[K, V any] func(ctx context.Context, batch []Record[K, V]) error

// Out takes the records a processor sends on: in its handler and in its timers, from the goroutine that called them.
type Out[K, V any] proc.Out[K, V]

// Send sends a record with the time and headers of the record in hand; in a timer, with the timer's time.
func (o Out[K, V]) Send(key K, value V) { proc.Out[K, V](o).Send(key, value) }

// To returns an Out that sends to one of the next steps alone: to that of the given name (Stream.As, or the name a processor
// or a store has). Call it in the setup; a name that no next step has fails it.
//
//	big, rest := out.To("big"), out.To("rest")
func (o Out[K, V]) To(step string) Out[K, V] { return Out[K, V](proc.Out[K, V](o).To(step)) }

// SendRecord sends a whole record. A zero Time means the time of the record in hand; a time before 1970 is an error.
func (o Out[K, V]) SendRecord(r Record[K, V]) {
	p := proc.Out[K, V](o)
	as := record.Meta{Time: r.Time.UnixMilli(), Headers: r.Headers, NoKey: r.noKey, NoValue: r.noValue}
	if r.Time.IsZero() {
		as.Time = p.Time()
	}
	p.SendAs(as, r.Key, r.Value)
}

// OutValue takes the values a processor sends on under the key in hand. There is none in a timer: sending there is an
// error.
type OutValue[V any] proc.OutValue[V]

// Send sends a value with the key, time and headers of the record in hand.
func (o OutValue[V]) Send(value V) { proc.OutValue[V](o).Send(value, false) }

// SendAt sends a value with another time than the record in hand has; a time before 1970 is an error.
func (o OutValue[V]) SendAt(at time.Time, value V) {
	proc.OutValue[V](o).SendAt(at.UnixMilli(), value)
}

// SendDelete sends a deletion of the key in hand.
func (o OutValue[V]) SendDelete() {
	var none V
	proc.OutValue[V](o).Send(none, true)
}
