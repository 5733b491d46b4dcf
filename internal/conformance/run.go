package conformance

import (
	"errors"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// Options change how a case is run. The zero value is how it was recorded.
type Options struct {
	Plain   bool                   // without nullable types: for cases without nulls
	Apart   bool                   // each subtopology as a task of its own, as in production
	Own     bool                   // as Millrace does it where it does not copy a fault of Kafka Streams: see Instead
	Driver  []kstest.Option        // on top of those the case asks for
	Between func(d *kstest.Driver) // called before each step; may be nil
}

// Run runs a case and returns what was seen. nulls reports whether an input had one, or a
// function met or made one. An error says that the case could
// not be run as it is written: it has failed.
func Run(c *Case, o Options) (seen Expected, nulls bool, err error) {
	if c.broken != nil {
		return seen, false, c.broken
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case Unknown:
			err = p
		case fatal:
			err = errors.New(p.text)
		default:
			panic(p)
		}
	}()
	if o.Plain {
		return execute(plain(c), o)
	}
	return execute(nullable(c), o)
}

func execute[S, N any](p *program[S, N], o Options) (seen Expected, nulls bool, err error) {
	p.own = o.Own
	top, err := p.build()
	if err != nil {
		return Expected{Error: &Error{Phase: "build", Cause: err.Error()}}, p.nulls.Load(), nil
	}
	tb := &Bench{}
	defer tb.Close()
	d, err := p.open(tb, top, o)
	if err != nil {
		return Expected{Error: &Error{Phase: "start", Cause: err.Error()}}, p.nulls.Load(), nil
	}
	r := &run[S, N]{p: p, d: d, tb: tb, written: map[string]*kstest.Output[[]byte, []byte]{}}
	r.seen.Topics = map[string][]Record{}
	r.collect(-1, "")
	for i, s := range p.c.Steps {
		if o.Between != nil {
			o.Between(d)
		}
		if err := r.step(s); err != nil {
			r.collect(i, s.Topic)
			r.seen.Error = &Error{Phase: "run", Step: &i, Cause: err.Error()}
			return r.seen, p.nulls.Load(), nil
		}
		r.collect(i, s.Topic)
	}
	r.seen.Stores = map[string]Store{}
	for name, rows := range p.dumps {
		if s := rows(&reading{d, r.seen.Topics, p.c.App}); s.Kind != "" {
			r.seen.Stores[name] = s
		}
	}
	for reason, n := range d.Dropped() {
		if Counted(reason) {
			r.seen.Dropped += n
		}
	}
	return r.seen, p.nulls.Load(), nil
}

// open makes the driver. What it says of the topology is an error of the phase start.
func (p *program[S, N]) open(tb *Bench, top *topology.Topology, o Options) (d *kstest.Driver, err error) {
	defer Failed(&err)
	opts := append([]kstest.Option{
		kstest.ApplicationID(p.c.App),
		kstest.StartingAt(time.UnixMilli(p.c.Config.WallClockMs)),
		kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Fail() }),
	}, o.Driver...)
	if !o.Apart {
		opts = append(opts, kstest.OneTask())
	}
	return kstest.New(tb, top, opts...), nil
}

// A run is a case on its way.
type run[S, N any] struct {
	p       *program[S, N]
	d       *kstest.Driver
	tb      *Bench
	written map[string]*kstest.Output[[]byte, []byte]
	seen    Expected
}

// step does one step; an error is the one the app has stopped with.
func (r *run[S, N]) step(s Step) error {
	switch {
	case s.AdvanceMs != nil:
		r.d.Advance(time.Duration(*s.AdvanceMs) * time.Millisecond)
	default:
		if s.Key == nil || s.Value == nil {
			r.p.nulls.Store(true)
		}
		rec := topology.Record[*string, *string]{Key: s.Key, Value: s.Value, Time: time.UnixMilli(s.Time)}
		for _, h := range s.Headers {
			header := topology.Header{Key: *h[0]}
			if h[1] != nil {
				header.Value = []byte(*h[1])
			}
			rec.Headers = append(rec.Headers, header)
		}
		text := serde.Nullable(serde.String)
		r.d.Input(topology.NewTopic(s.Topic, text, text)).SendRecord(rec)
	}
	return r.d.Stopped()
}

// collect takes up what was written in a step. sent is the topic that the step itself has written a record to: the first new
// one there.
func (r *run[S, N]) collect(step int, sent string) {
	for _, name := range r.d.Topics() {
		out := r.written[name]
		if out == nil {
			out = r.d.Output(topology.NewTopic(name, serde.Bytes, serde.Bytes))
			r.written[name] = out
		}
		rest := out.Rest()
		if name == sent && len(rest) > 0 {
			rest = rest[1:]
		}
		for _, rec := range rest {
			r.seen.Topics[name] = append(r.seen.Topics[name], record(rec, step))
		}
	}
}

func record(rec topology.Record[[]byte, []byte], step int) Record {
	out := Record{Time: new(rec.Time.UnixMilli()), Step: step}
	if rec.HasKey() {
		out.Key = &rec.Key
	}
	if rec.HasValue() {
		out.Value = &rec.Value
	}
	for _, h := range rec.Headers {
		header := Header{Key: h.Key}
		if h.Value != nil {
			header.Value = &h.Value
		}
		out.Headers = append(out.Headers, header)
	}
	return out
}

// Counted reports whether Kafka Streams counts records that Millrace drops for a reason. Those without a key it filters out
// before a repartition topic, uncounted.
func Counted(reason string) bool { return reason != "null-key-to-repartition" }
