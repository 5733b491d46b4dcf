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
}

// NewOut returns the end that hands records to next. m is the task's Meta.
func NewOut[K, V any](m *record.Meta, hand *Hand, next record.Fn[K, V]) Out[K, V] {
	return Out[K, V]{m, hand, next}
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
	if as.Time < 0 {
		record.Fail(o.hand.node, fmt.Errorf("topology: a record is sent with a time %d ms before 1970: leave Record.Time zero for the time of the record in hand", -as.Time))
	}
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
