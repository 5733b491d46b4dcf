package proc

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/record"
)

// Out sends records of a processor on. topology.Out has it as underlying type.
type Out[K, V any] struct {
	m    *record.Meta
	hand *Hand
	next record.Fn[K, V]
	ends Ends[K, V]
}

// Ends are the next steps of a processor, by their names.
type Ends[K, V any] interface {
	To(name string) record.Fn[K, V] // nil: there is none of that name
	Names() []string
}

// NewOut returns the end that hands records to next. m is the task's Meta.
func NewOut[K, V any](m *record.Meta, hand *Hand, next record.Fn[K, V]) Out[K, V] {
	return Out[K, V]{m: m, hand: hand, next: next}
}

// With returns the end as one that can tell its next steps apart.
func (o Out[K, V]) With(ends Ends[K, V]) Out[K, V] { o.ends = ends; return o }

// To returns the end that hands records to the next step of a name alone.
func (o Out[K, V]) To(name string) Out[K, V] {
	if o.next = o.ends.To(name); o.next == nil {
		record.Fail(o.hand.node, fmt.Errorf("topology: no step behind the processor is named %q, they are %q: name it with As", name, o.ends.Names()))
	}
	return o
}

// Send hands on a key and a value with the time and headers of the record in hand.
func (o Out[K, V]) Send(k K, v V) {
	o.hand.mustSend()
	saved := *o.m
	o.m.NoKey, o.m.NoValue = false, false
	o.next(o.m, k, v)
	*o.m = saved
}

// SendAs hands on a whole record; what is in hand stays as it was.
func (o Out[K, V]) SendAs(as record.Meta, k K, v V) {
	o.hand.mustSend()
	checkTime(o.hand.node, as.Time)
	saved := *o.m
	*o.m = as
	o.next(o.m, k, v)
	*o.m = saved
}

// Time is that of the record in hand.
func (o Out[K, V]) Time() int64 { return o.m.Time }

// OutValue sends values of a processor on under the key in hand. topology.OutValue has it as underlying type.
type OutValue[V any] struct {
	m    *record.Meta
	hand *Hand
	next func(v V)
}

// NewOutValue returns the end that hands values to next, which adds the key in hand.
func NewOutValue[V any](m *record.Meta, hand *Hand, next func(v V)) OutValue[V] {
	return OutValue[V]{m, hand, next}
}

// Send hands on a value, or a deletion, with the time and headers of the record in hand.
func (o OutValue[V]) Send(v V, deletion bool) {
	o.hand.mustHoldRecord()
	saved := *o.m
	o.m.NoValue = deletion
	o.next(v)
	*o.m = saved
}

// SendAt is Send of a value with another time, milliseconds.
func (o OutValue[V]) SendAt(ms int64, v V) {
	o.hand.mustHoldRecord()
	checkTime(o.hand.node, ms)
	saved := *o.m
	o.m.NoValue, o.m.Time = false, ms
	o.next(v)
	*o.m = saved
}

func checkTime(node int32, ms int64) {
	if ms < 0 {
		record.Fail(node, fmt.Errorf("topology: a record is sent with a time %d ms before 1970: leave Record.Time zero for the time of the record in hand", -ms))
	}
}
