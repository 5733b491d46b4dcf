package kstest

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// Input writes records to a source topic. Each is processed before the call returns.
//
// The present time of an input is the clock of the test, or the latest time sent to the topic before if that is later: event
// time goes back only when a test says so.
type Input[K, V any] struct {
	d         *Driver
	name      string
	key       serde.Serde[K]
	value     serde.Serde[V]
	partition *func(key K, value V, partitions int) int
}

// Input returns the writing end of a topic that the topology reads. Records go to the partition the topic's PartitionBy
// says, else to that of their key as Kafka's own producers choose it; records without a key go to one partition after the
// other. A topic that a source reads by a pattern begins to exist here.
func (d *Driver) Input[K, V any](t topology.Topic[K, V]) *Input[K, V] {
	d.t.Helper()
	s := topics.Topic[K, V](t).Spec()
	if len(s.Names) != 1 {
		d.fail(fmt.Errorf("Input of a topic that stands for %d topics: name one with Named", len(s.Names)))
	}
	name := s.Names[0]
	in := &Input[K, V]{
		d: d, name: name, partition: s.Partition,
		key:   topics.Bind(topics.Choose(s.Key), name, serde.Key),
		value: topics.Bind(topics.Choose(s.Value), name, serde.Value),
	}
	d.source(name)
	return in
}

// source makes sure that the topology reads a topic.
func (d *Driver) source(name string) {
	d.t.Helper()
	if _, ok := d.times[name]; ok {
		return
	}
	d.usable()
	d.times[name] = d.now
	reads := func(topics []string) bool { return slices.Contains(topics, name) }
	if slices.ContainsFunc(d.sources, reads) || slices.ContainsFunc(d.globals, func(t *globalTable) bool { return t.topic == name }) {
		return
	}
	// Perhaps a source reads it by a pattern: then the group notices the new topic, and its tasks are made anew.
	d.layOut()
	if !slices.ContainsFunc(d.sources, reads) {
		d.fail(fmt.Errorf("the topology does not read topic %q: it reads %q", name, slices.Concat(d.sources...)))
	}
	if d.options.manual {
		d.Commit()
	}
	for _, w := range d.workers {
		w.close()
	}
	d.open()
	d.settle()
}

// now returns the present time of the input.
func (in *Input[K, V]) now() time.Time {
	if last := in.d.times[in.name]; last.After(in.d.now) {
		return last
	}
	return in.d.now
}

// Send sends a record at the input's present time.
func (in *Input[K, V]) Send(key K, value V) {
	in.d.t.Helper()
	in.SendRecord(topology.Record[K, V]{Key: key, Value: value})
}

// SendAt sends a record with a time.
func (in *Input[K, V]) SendAt(t time.Time, key K, value V) {
	in.d.t.Helper()
	in.SendRecord(topology.Record[K, V]{Key: key, Value: value, Time: t})
}

// Delete sends a record without a value, which deletes its key, at the input's present time.
func (in *Input[K, V]) Delete(key K) {
	in.d.t.Helper()
	in.SendRecord(Deleted[K, V](key))
}

// SendRecord sends a whole record: its headers, and whether it has a key and a value. A zero Time means the input's present
// time.
func (in *Input[K, V]) SendRecord(r topology.Record[K, V]) {
	in.d.t.Helper()
	if r.Time.IsZero() {
		r.Time = in.now()
	}
	o := record.Out{
		Topic: in.name, Partition: -1, Headers: r.Headers, Time: r.Time.UnixMilli(),
		Key:   encode(in.d, in.name, "key", in.key, r.Key, r.HasKey()),
		Value: encode(in.d, in.name, "value", in.value, r.Value, r.HasValue()),
	}
	n := in.d.partitions(in.name)
	switch {
	case in.partition != nil:
		p := (*in.partition)(r.Key, r.Value, int(n))
		if p < 0 || p >= int(n) {
			in.d.fail(fmt.Errorf("the partition function of topic %q returned %d: it must be from 0 to %d", in.name, p, n-1))
		}
		o.Partition = int32(p)
	case o.Key != nil:
		o.Partition = partition.Of(o.Key, n)
	}
	in.send(o)
}

// SendBytes sends a record of raw bytes at the input's present time, to test what cannot be decoded. A nil key or value is
// Kafka's null.
func (in *Input[K, V]) SendBytes(key, value []byte) {
	in.d.t.Helper()
	o := record.Out{Topic: in.name, Partition: -1, Time: in.now().UnixMilli(), Key: slices.Clone(key), Value: slices.Clone(value)}
	if key != nil {
		o.Partition = partition.Of(key, in.d.partitions(in.name))
	}
	in.send(o)
}

func (in *Input[K, V]) send(o record.Out) {
	in.d.t.Helper()
	in.d.usable()
	if at := time.UnixMilli(o.Time); at.After(in.d.times[in.name]) {
		in.d.times[in.name] = at
	}
	in.d.write(o)
	in.d.settle()
}

// encode returns the bytes of a key or value, nil for none.
func encode[T any](d *Driver, topic, what string, s serde.Serde[T], v T, has bool) []byte {
	d.t.Helper()
	if s == nil {
		d.fail(fmt.Errorf("topic %q has no serde for its %s type %T: give NewTopic one", topic, what, v))
	}
	if null := topics.Null(s); !has || null != nil && null(v) {
		return nil
	}
	b, err := s.Append([]byte{}, v)
	if err != nil {
		d.fail(fmt.Errorf("the %s %v for topic %q cannot be encoded: %w", what, v, topic, err))
	}
	return b
}
