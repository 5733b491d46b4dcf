package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
)

// An Option changes how a store is kept. The same options serve specs and the verbs that make a store. The zero Option
// changes nothing.
type Option struct{ apply func(*decl.Store) }

// Apply writes the option into a declaration. It is for Millrace's own packages.
func (o Option) Apply(d *decl.Store) {
	if o.apply != nil {
		o.apply(d)
	}
}

// InMemory keeps the rows in memory only. They are restored from the changelog after each restart.
func InMemory() Option {
	return Option{func(d *decl.Store) { d.InMemory = true }}
}

// NoChangelog keeps the rows out of Kafka: they are lost with their disk, and at any stop that was not clean.
func NoChangelog() Option {
	return Option{func(d *decl.Store) { d.NoChangelog = true }}
}

// SourceChangelog has a table that ktable.From reads from one topic do without a changelog of its own: the topic has the
// same rows, and the store is restored from it, as far as it was processed. The topic must be compacted, or keep its records
// for ever. Rows come back as the topic has them: records that an error policy skipped come back too, and fail where they
// are looked up.
func SourceChangelog() Option {
	return Option{func(d *decl.Store) { d.FromSource = true }}
}

// NoCache forwards every update at once, instead of the last one of each row at each commit.
func NoCache() Option {
	return Option{func(d *decl.Store) { d.NoCache = true }}
}

// LRU keeps at most n rows, those used last: written, or read by their key. Rows beyond are deleted in the changelog, and
// downstream of a table. What was used is part of the transaction, so that an abort forgets it; after a restore from the
// changelog the rows written last count as those used last. n must be positive.
func LRU(n int) Option {
	return Option{func(d *decl.Store) {
		if n <= 0 {
			invalid(d, "LRU(%d): the number of rows must be positive", n)
		}
		d.LRU = n
	}}
}

// TTL deletes rows that were not written for d of stream time: a row whose time is d before the highest event time that the
// task has taken up is not seen any more, and is deleted at the next commit, in the changelog and downstream of a table. The
// deletion has the time at which it was due. d must be at least a millisecond.
func TTL(d time.Duration) Option {
	return Option{func(s *decl.Store) { s.TTL = span(s, "TTL", d) }}
}

// Headers has the rows of a key-value store keep the headers of the record that wrote them: see KeyValueReader.Headers. The records of
// the changelog have them too (KIP-1271).
func Headers() Option {
	return Option{func(d *decl.Store) { d.Headers = true }}
}

// Retention keeps windows and sessions for d instead of their size plus grace. d must be at least a millisecond.
func Retention(d time.Duration) Option {
	return Option{func(s *decl.Store) { s.Retention = span(s, "Retention", d) }}
}

// SegmentInterval has the rows of window and session stores expire by stretches of d: a shorter one frees disk earlier and
// drops late writes earlier. Without it, d is half the retention and at least a minute, as in Kafka Streams. d must be at
// least a millisecond. Of versioned stores it is the stretch by which versions are kept together.
func SegmentInterval(d time.Duration) Option {
	return Option{func(s *decl.Store) { s.Segment = span(s, "SegmentInterval", d) }}
}

// Duplicates has a window store keep all values that are put for a key and start, side by side, in order of arrival,
// instead of the last one.
func Duplicates() Option {
	return Option{func(s *decl.Store) { s.Duplicates = true }}
}

// History makes the store of a table versioned: it keeps what each row was during the last d of event time, the highest
// put into it. A record older than that is dropped and counted. An older record than the row's newest becomes a version in
// between. A versioned table forwards every update at once (KIP-889, KIP-914). d must be at least a millisecond.
func History(d time.Duration) Option {
	return Option{func(s *decl.Store) {
		s.History = span(s, "History", d)
		if s.Kind == decl.KeyValue {
			s.Kind = decl.Versioned
		}
	}}
}

// TopicConfig sets a config of the changelog topic, such as "min.insync.replicas". The last value of a name counts.
func TopicConfig(name, value string) Option {
	return Option{func(d *decl.Store) {
		if name == "" {
			invalid(d, "TopicConfig: the name of the config is empty")
		}
		if d.TopicConfig == nil {
			d.TopicConfig = map[string]string{}
		}
		d.TopicConfig[name] = value
	}}
}

// span checks a duration given to an option or a spec; stores count time in milliseconds.
func span(s *decl.Store, what string, d time.Duration) time.Duration {
	if d < time.Millisecond {
		invalid(s, "%s(%v): must be at least 1ms", what, d)
	}
	return d
}

// invalid keeps an error in the declaration; the topology's Build returns it.
func invalid(d *decl.Store, format string, args ...any) {
	d.Err = errors.Join(d.Err, fmt.Errorf("store %q: "+format, append([]any{d.Name}, args...)...))
}
