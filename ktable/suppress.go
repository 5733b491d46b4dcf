package ktable

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/store"
)

// Suppress holds the changes of a row back for d of event time and sends on only the last of them. The time begins with the
// first change that waits; it passes with the changes that come, of any row (see topology.Builder.IdleAfter for quiet inputs).
// Deletions wait like other changes. d must not be negative; with 0 every change goes on at once.
//
// What waits is kept in the store <name>-store and its changelog, with a header, time and place of its record; it may be larger
// than memory. A versioned table cannot be suppressed.
func (t Table[K, V]) Suppress(name string, d time.Duration, opts ...BufferOption) Table[K, V] {
	c := call("Suppress", name)
	s := suppression[K]{call: c, name: name, wait: d.Milliseconds(), buffer: bufferOf(opts)}
	if d < 0 {
		t.h().Builder(c).Report(graph.Caller(), c, fmt.Errorf("%v is negative: changes cannot be sent before they come", d))
	}
	return suppress(t, s)
}

// SuppressUntil sends one final change of each row, once event time has passed until(key) and the grace of the windowed folds
// before it (of sessions also their gap); the longest if there are several. It is a build error if there are none. Use
// window.Closed as until. Deleted rows are not sent on: of a window that came and went there is no result.
//
//	perMinute.SuppressUntil("final", window.Closed)
//
// See Suppress for what is kept.
func (t Table[K, V]) SuppressUntil(name string, until func(K) time.Time, opts ...BufferOption) Table[K, V] {
	c := call("SuppressUntil", name)
	b, at := t.h().Builder(c), graph.Caller()
	grace, err := dsl.Closing(t.h().Node())
	if err != nil {
		b.Report(at, c, err)
	}
	s := suppression[K]{call: c, name: name, wait: grace.Milliseconds(), until: until, final: true, buffer: bufferOf(opts)}
	if s.buffer.early {
		b.Report(at, c, errors.New("EmitEarly would send rows that are not final: use FailBeyond, or leave the limit out"))
	}
	return suppress(t, s)
}

// A suppression is what Suppress and SuppressUntil differ in.
type suppression[K any] struct {
	call, name string
	wait       int64             // ms of event time beyond the time a change waits for
	until      func(K) time.Time // the time a change waits for; nil: its own
	final      bool
	buffer     buffer
}

func suppress[K, V any](t Table[K, V], s suppression[K]) Table[K, V] {
	b, at := t.h().Builder(s.call), graph.Caller()
	t.t().NeedOld(s.call)
	for _, err := range s.buffer.errs {
		b.Report(at, s.call, err)
	}
	if t.t().Versioned() {
		b.Report(at, s.call, errors.New("the table is versioned, and each of its versions is final: call Materialize without store.History first"))
	}
	d := waitingStore(t, s)
	step := dsl.Step{
		Call: s.call, Kind: "suppress", Name: s.name, NilFunc: s.final && s.until == nil,
		Stores: []*decl.Store{d}, Clocks: []string{d.Name}, Old: graph.WantsOld,
	}
	h := t.h().Change(step, func(env graph.Env, n *graph.Node, next record.ChangeFn[K, V]) record.ChangeFn[K, V] {
		o := &suppressor[K, V]{
			suppression: s, id: int32(n.ID), env: env, clock: env.Clock(d.Name), next: next,
			rows: rows.OpenSuppressed[K, V](env, n, d, s.buffer.limited()),
		}
		env.AtIdle(n, func() { o.send(env.Meta(), o.clock.Raise(env.StreamTime())) })
		return o.change
	})
	return Table[K, V](dsl.Delayed(t.t(), h.WithValue(t.h().Value()), d, func(env graph.Env, n *graph.Node, look dsl.View[K, V]) dsl.View[K, V] {
		buffer := rows.OpenSuppressed[K, V](env, n, d, false)
		return func(k K) (V, int64, bool) {
			if v, ok, waits := buffer.Prior(k); waits {
				return v, -1, ok // when that was is not known any more
			}
			return look(k)
		}
	}))
}

// waitingStore declares the store of a suppression.
func waitingStore[K, V any](t Table[K, V], s suppression[K]) *decl.Store {
	d := dsl.Declare(t.h(), s.call, s.name+"-store", s.buffer.opts, false, "call WithValueSerde").Decl()
	if d.LRU != 0 || d.TTL != 0 || d.History != 0 || d.Retention != 0 || d.Duplicates {
		t.h().Builder(s.call).Report(graph.Caller(), s.call, errors.New("a buffer keeps what waits, no more and no less: of store options it takes InMemory, NoChangelog and TopicConfig"))
	}
	d.Kind, d.NoCache = decl.Suppressed, true
	return d
}

// A suppressor is a suppression in one task.
type suppressor[K, V any] struct {
	suppression[K]
	id    int32
	env   graph.Env
	clock *graph.Clock // highest time of the changes that came
	rows  *rows.Suppressed[K, V]
	next  record.ChangeFn[K, V]
}

func (s *suppressor[K, V]) change(m *record.Meta, k K, c record.Change[V]) {
	m.Node = s.id
	now := s.clock.Raise(m.Time)
	until := m.Time
	if s.until != nil {
		until = s.until(k).UnixMilli()
	}
	from := wire.Origin{Time: m.Time, Headers: m.Headers}
	var ok bool
	if from.At, ok = graph.Where(s.env); !ok {
		from.At = record.Position{Partition: -1, Offset: -1}
	}
	s.rows.Put(k, c, until, &from)
	s.send(m, now)
	if !s.buffer.limited() || !s.over() {
		return
	}
	if !s.buffer.early {
		count, bytes := s.rows.Size()
		record.Fail(s.id, fmt.Errorf("%s holds %d changes of %d bytes, more than %s: raise the limit, or send early with EmitEarly", s.call, count, bytes, s.buffer.limit()))
	}
	s.drain(m, func(int64) bool { return s.over() })
}

// send sends what has waited long enough.
func (s *suppressor[K, V]) send(m *record.Meta, now int64) {
	if expired := now - s.wait; s.rows.Waits(expired) {
		s.drain(m, func(until int64) bool { return until <= expired })
	}
}

// drain sends what waits for the earliest times, as long as more says so.
func (s *suppressor[K, V]) drain(m *record.Meta, more func(until int64) bool) {
	saved := *m
	s.rows.Drain(more, func(w *rows.Buffered[K, V]) {
		if s.final && !w.HasNew {
			return
		}
		*m = record.Meta{Time: w.Time, Headers: w.Headers, Node: s.id, At: &w.At}
		s.next(m, w.Key, w.Change)
	})
	*m = saved
}

func (s *suppressor[K, V]) over() bool {
	count, bytes := s.rows.Size()
	return int64(count) > s.buffer.records || bytes > s.buffer.bytes
}

// BufferOption limits what a suppression may hold, and says how it is kept. Without one it holds as much as there is disk.
type BufferOption struct{ apply func(*buffer) }

// EmitEarly sends the changes that wait for the earliest times when more than n wait. n must not be negative.
func EmitEarly(n int) BufferOption {
	return BufferOption{func(b *buffer) { b.early = true; b.limitRecords("EmitEarly", n) }}
}

// EmitEarlyBytes sends the changes that wait for the earliest times when all have more than n bytes: keys, values before and
// after, headers and some 30 bytes each, as Kafka Streams counts them. n must not be negative.
func EmitEarlyBytes(n int64) BufferOption {
	return BufferOption{func(b *buffer) { b.early = true; b.limitBytes("EmitEarlyBytes", n) }}
}

// FailBeyond stops the app when more than n changes wait: the record fails. Where an error policy is asked (see Table.OnError)
// and skips it, its change is dropped. n must not be negative.
func FailBeyond(n int) BufferOption {
	return BufferOption{func(b *buffer) { b.fail = true; b.limitRecords("FailBeyond", n) }}
}

// FailBeyondBytes is FailBeyond for bytes, counted as by EmitEarlyBytes.
func FailBeyondBytes(n int64) BufferOption {
	return BufferOption{func(b *buffer) { b.fail = true; b.limitBytes("FailBeyondBytes", n) }}
}

// BufferStore sets options of the store in which changes wait: store.InMemory, store.NoChangelog (what waits is lost at an
// unclean stop), store.TopicConfig.
func BufferStore(opts ...store.Option) BufferOption {
	return BufferOption{func(b *buffer) { b.opts = append(b.opts, opts...) }}
}

// A buffer is what the options say together.
type buffer struct {
	records, bytes int64 // at most
	early, fail    bool  // what happens beyond
	opts           []store.Option
	errs           []error
}

func bufferOf(opts []BufferOption) buffer {
	b := buffer{records: math.MaxInt64, bytes: math.MaxInt64}
	for _, o := range opts {
		if o.apply != nil {
			o.apply(&b)
		}
	}
	if b.early && b.fail {
		b.errs = append(b.errs, errors.New("beyond its limits a buffer either sends early or fails: take one of the two"))
	}
	return b
}

func (b *buffer) limited() bool { return b.early || b.fail }

func (b *buffer) limitRecords(option string, n int) {
	b.records = int64(n)
	b.check(option, b.records)
}

func (b *buffer) limitBytes(option string, n int64) {
	b.bytes = n
	b.check(option, n)
}

func (b *buffer) check(option string, n int64) {
	if n < 0 {
		b.errs = append(b.errs, fmt.Errorf("%s(%d): must not be negative", option, n))
	}
}

// limit spells the limits.
func (b *buffer) limit() string {
	switch {
	case b.bytes == math.MaxInt64:
		return fmt.Sprintf("%d changes", b.records)
	case b.records == math.MaxInt64:
		return fmt.Sprintf("%d bytes", b.bytes)
	}
	return fmt.Sprintf("%d changes or %d bytes", b.records, b.bytes)
}
