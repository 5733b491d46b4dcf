package topology

import (
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/serde"
)

// Topic is a named topic with the types and serdes of its records. It is a value: methods return changed copies.
// Declare a topic once, in a variable, and use it wherever the topic is read, written or tested.
type Topic[K, V any] topics.Topic[K, V]

// NewTopic declares a topic. A nil serde means the built-in one of the type, or, where records are written, the one the
// stream has; if there is neither, Build says so.
func NewTopic[K, V any](name string, key serde.Serde[K], value serde.Serde[V]) Topic[K, V] {
	return Topic[K, V](topics.New(topics.Spec[K, V]{Names: []string{name}, Key: key, Value: value}))
}

func (t Topic[K, V]) with(change func(s *topics.Spec[K, V])) Topic[K, V] {
	s := *topics.Topic[K, V](t).Spec()
	change(&s)
	return Topic[K, V](topics.New(s))
}

// Named returns a topic of the same types and settings with another name.
func (t Topic[K, V]) Named(name string) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) { s.Names, s.Pattern = []string{name}, "" })
}

// AndNamed returns a source that reads further topics of the same types. It can be read, not written.
func (t Topic[K, V]) AndNamed(names ...string) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) { s.Names = slices.Concat(s.Names, names) })
}

// Matching returns a source that reads all topics whose whole name matches the regular expression (syntax of package
// regexp), instead of those named. Topics made later are read once the group notices them. It can be read, not written.
func (t Topic[K, V]) Matching(regexp string) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) { s.Names, s.Pattern = nil, regexp })
}

// TimeFrom sets how event time is found; the default is the record's timestamp, which f finds in r.Time. A time before
// 1970 is an error of the record. f is called when a record is taken up, before its turn to be processed, so the record
// is decoded twice; it must be safe for concurrent use.
func (t Topic[K, V]) TimeFrom(f func(r Record[K, V]) time.Time) Topic[K, V] {
	if f == nil {
		return t.TimeOrDrop(nil)
	}
	return t.TimeOrDrop(func(r Record[K, V], _ time.Time) (time.Time, bool) { return f(r), true })
}

// TimeOrDrop is TimeFrom with a function that also gets the latest event time of the record's partition, the zero Time if
// there is none yet, and that may refuse the record: false drops it, and counts it as one with a negative time. It does what
// timestamp extractors of Kafka Streams do:
//
//	t.TimeOrDrop(func(r topology.Record[string, Order], latest time.Time) (time.Time, bool) {
//		if r.Time.UnixMilli() < 0 { // a producer that knew no time
//			return latest, !latest.IsZero()
//		}
//		return r.Time, true
//	})
func (t Topic[K, V]) TimeOrDrop(f func(r Record[K, V], latest time.Time) (at time.Time, ok bool)) Topic[K, V] {
	find := func(m record.Meta, k K, v V, latest int64) (int64, bool) {
		var before time.Time
		if latest >= 0 {
			before = time.UnixMilli(latest)
		}
		at, ok := f(Record[K, V]{k, v, time.UnixMilli(m.Time), m.Headers, m.NoKey, m.NoValue}, before)
		return at.UnixMilli(), ok
	}
	return t.with(func(s *topics.Spec[K, V]) {
		if s.Time = &find; f == nil {
			s.Time = nil
		}
	})
}

// StartAt sets where to read when the group has no committed offset; the default is Earliest.
func (t Topic[K, V]) StartAt(at Start) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) { s.Start = graph.Start(at) })
}

// PartitionBy sets the partition of written records; the default is Kafka's murmur2 of the key's bytes, and for records
// without a key any partition. f gets the zero K or V where the record has none, and must return a number from 0 to
// partitions-1: anything else is an error of the record.
func (t Topic[K, V]) PartitionBy(f func(key K, value V, partitions int) int) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) {
		if s.Partition = &f; f == nil {
			s.Partition = nil
		}
	})
}

// OnError sets what happens to records of this topic that cannot be decoded, instead of Config.OnError.
func (t Topic[K, V]) OnError(p ErrorPolicy) Topic[K, V] {
	return t.with(func(s *topics.Spec[K, V]) {
		if s.Policy = nil; p != nil {
			s.Policy = new(any(p))
		}
	})
}

// Name returns the name of the topic: the first one if it was made with AndNamed, and "" if with Matching.
func (t Topic[K, V]) Name() string {
	if s := topics.Topic[K, V](t).Spec(); len(s.Names) > 0 {
		return s.Names[0]
	}
	return ""
}

// KeySerde returns the serde of keys: the one given to NewTopic, or the built-in one of K, or nil.
func (t Topic[K, V]) KeySerde() serde.Serde[K] {
	return topics.Choose(topics.Topic[K, V](t).Spec().Key)
}

// ValueSerde returns the serde of values: the one given to NewTopic, or the built-in one of V, or nil.
func (t Topic[K, V]) ValueSerde() serde.Serde[V] {
	return topics.Choose(topics.Topic[K, V](t).Spec().Value)
}

// Start says where reading of a topic begins when the group has no committed offset. The zero value is Earliest.
type Start graph.Start

// Earliest starts at the oldest record.
func Earliest() Start { return Start{Kind: graph.Earliest} }

// Latest starts after the newest record.
func Latest() Start { return Start{Kind: graph.Latest} }

// Ago starts at the first record that is at most d old.
func Ago(d time.Duration) Start { return Start{Kind: graph.Ago, Ago: d} }

func (s Start) String() string {
	switch s.Kind {
	case graph.Latest:
		return "latest"
	case graph.Ago:
		return s.Ago.String() + " ago"
	}
	return "earliest"
}
