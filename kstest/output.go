package kstest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// Output reads the committed records of a topic in the order written, over all partitions. There is one reading position
// per topic: an Output made later for the same topic goes on where another one is.
type Output[K, V any] struct {
	d     *Driver
	name  string
	at    *cursor
	key   serde.Serde[K]
	value serde.Serde[V]
}

// A cursor counts the records of a topic that were read.
type cursor struct{ read int }

// Output returns the reading end of a topic: of one the topology writes, or any other there is, such as a repartition topic
// or a changelog by its full name.
func (d *Driver) Output[K, V any](t topology.Topic[K, V]) *Output[K, V] {
	d.t.Helper()
	s := topics.Topic[K, V](t).Spec()
	if len(s.Names) != 1 {
		d.fail(fmt.Errorf("Output of a topic that stands for %d topics: name one with Named", len(s.Names)))
	}
	name := s.Names[0]
	if d.cursors[name] == nil {
		d.cursors[name] = &cursor{}
	}
	return &Output[K, V]{
		d: d, name: name, at: d.cursors[name],
		key:   topics.Bind(topics.Choose(s.Key), name, serde.Key),
		value: topics.Bind(topics.Choose(s.Value), name, serde.Value),
	}
}

// take returns the next record, if there is one.
func (o *Output[K, V]) take() (r topology.Record[K, V], ok bool) {
	o.d.t.Helper()
	t := o.d.topic(o.name)
	if o.at.read == len(t.order) {
		return r, false
	}
	at := t.order[o.at.read]
	o.at.read++
	in := &t.partitions[at.partition][at.offset]
	r.Time, r.Headers = time.UnixMilli(in.Time), in.Headers
	if r.Key, ok = decode(o.d, o.name, "key", o.key, in.Key); !ok {
		r = r.WithoutKey()
	}
	if r.Value, ok = decode(o.d, o.name, "value", o.value, in.Value); !ok {
		r = r.WithoutValue()
	}
	return r, true
}

// Next returns the next record; it fails the test if there is none.
func (o *Output[K, V]) Next() topology.Record[K, V] {
	o.d.t.Helper()
	r, ok := o.take()
	if !ok {
		o.d.t.Fatalf("kstest: topic %s: no further record%s", o.name, o.why())
	}
	return r
}

// Rest returns all records left.
func (o *Output[K, V]) Rest() []topology.Record[K, V] {
	o.d.t.Helper()
	var rest []topology.Record[K, V]
	for {
		r, ok := o.take()
		if !ok {
			return rest
		}
		rest = append(rest, r)
	}
}

// Expect fails the test unless the next records are exactly these, in key and value; times and headers are not looked at.
// Records that follow may be expected later.
func (o *Output[K, V]) Expect(want ...topology.Record[K, V]) {
	o.d.t.Helper()
	got := make([]topology.Record[K, V], 0, len(want))
	equal := true
	for _, w := range want {
		g, ok := o.take()
		if !ok {
			equal = false
			break
		}
		got = append(got, g)
		equal = equal && same(g, w)
	}
	if !equal {
		o.d.t.Errorf("kstest: topic %s:\n%s%s", o.name, table(want, got), o.why())
	}
}

// ExpectNone fails the test if a record is left.
func (o *Output[K, V]) ExpectNone() {
	o.d.t.Helper()
	if rest := o.Rest(); len(rest) > 0 {
		o.d.t.Errorf("kstest: topic %s: want no further record\n%s", o.name, table(nil, rest))
	}
}

// why helps those who wait for what was never committed.
func (o *Output[K, V]) why() string {
	if !o.d.options.manual {
		return ""
	}
	for _, w := range o.d.workers {
		if w.task.Dirty() {
			return "\n(there are uncommitted records: call Commit)"
		}
	}
	return ""
}

func same[K, V any](a, b topology.Record[K, V]) bool {
	return a.HasKey() == b.HasKey() && a.HasValue() == b.HasValue() && reflect.DeepEqual(a.Key, b.Key) && reflect.DeepEqual(a.Value, b.Value)
}

// table sets what was expected beside what came, and marks the lines that differ.
func table[K, V any](want, got []topology.Record[K, V]) string {
	lines := make([][2]string, max(len(want), len(got)))
	width := len("want")
	for i := range lines {
		lines[i] = [2]string{"-", "-"}
		if i < len(want) {
			lines[i][0] = text(want[i])
		}
		if i < len(got) {
			lines[i][1] = text(got[i])
		}
		width = max(width, len(lines[i][0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "     %-*s   got", width, "want")
	for i, l := range lines {
		mark := " "
		if i >= len(want) || i >= len(got) || !same(want[i], got[i]) {
			mark = ">"
		}
		fmt.Fprintf(&b, "\n %s %d %-*s   %s", mark, i, width, l[0], l[1])
	}
	return b.String()
}

// text is a record as one line.
func text[K, V any](r topology.Record[K, V]) string {
	key, value := "no key", "deleted"
	if r.HasKey() {
		key = show(r.Key)
	}
	if r.HasValue() {
		value = show(r.Value)
	}
	return key + " = " + value
}

// show spells strings with quotes, so that spaces are seen, pointers with what they point to, and the rest with the names
// of fields.
func show(v any) string {
	switch x := reflect.ValueOf(v); x.Kind() {
	case reflect.String:
		return fmt.Sprintf("%q", v)
	case reflect.Pointer:
		if !x.IsNil() {
			return "&" + show(x.Elem().Interface())
		}
	}
	return fmt.Sprintf("%+v", v)
}

// decode returns a key or value of its bytes; ok is false if there is none.
func decode[T any](d *Driver, topic, what string, s serde.Serde[T], b []byte) (v T, ok bool) {
	d.t.Helper()
	switch {
	case s == nil:
		d.fail(fmt.Errorf("topic %q has no serde for its %s type %T: give NewTopic one", topic, what, v))
	case b == nil && topics.Nullable(s):
		return v, true
	case b == nil:
		return v, false
	}
	v, err := s.Decode(b)
	if err != nil {
		d.fail(fmt.Errorf("the %s %q of a record of topic %q cannot be decoded: %w", what, b, topic, err))
	}
	return v, true
}
