package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/broker"
	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// cleanTimeout bounds deleting topics, which also happens when the run was interrupted.
const cleanTimeout = 30 * time.Second

// A harness measures. Only one engine runs at a time.
type harness struct {
	config
	broker *broker.Broker
	prefix string // of every topic and group of this run
	log    io.Writer
}

func newHarness(ctx context.Context, c config, log io.Writer) (*harness, error) {
	b, err := broker.Dial(ctx, c.brokers)
	if err != nil {
		return nil, err
	}
	return &harness{config: c, broker: b, prefix: "bench-" + time.Now().UTC().Format("0102-150405"), log: log}, nil
}

func (h *harness) close() { h.broker.Close() }

func (h *harness) say(format string, a ...any) { fmt.Fprintf(h.log, format+"\n", a...) }

// measure runs every engine over every workload and returns what was seen. It ends early when ctx ends.
func (h *harness) measure(ctx context.Context) *report {
	rep := newReport(ctx, h)
	for _, w := range h.workloads {
		entrants := h.entrants(w)
		if len(entrants) == 0 {
			continue
		}
		in, err := h.load(ctx, w)
		if err != nil {
			rep.add(outcome{workload: w.Name, err: err})
		}
		for round := 0; err == nil && round < h.rounds; round++ {
			for _, e := range entrants {
				if ctx.Err() == nil {
					rep.add(h.once(ctx, in, e, round))
				}
			}
		}
		h.clean(in.topics[0])
		if ctx.Err() != nil {
			rep.add(outcome{workload: w.Name, err: fmt.Errorf("interrupted: %w", context.Cause(ctx))})
			break
		}
	}
	return rep
}

// inputs are the loaded topics of one workload.
type inputs struct {
	workload workload.Workload
	records  int64    // of the stream
	start    int64    // its first time, milliseconds since the epoch
	topics   []string // the stream first; the others' names begin with its name
}

// load creates and fills the input topics of a workload.
func (h *harness) load(ctx context.Context, w workload.Workload) (inputs, error) {
	n := h.size(w)
	in := inputs{workload: w, records: n, topics: []string{h.prefix + "-" + w.Name}}
	in.start = time.Now().Add(-time.Hour).UnixMilli() - w.Span(n) // nothing is of the future
	streams := []workload.Input{w.Stream(n, in.start)}
	if rows, ok := w.Rows(in.start); ok {
		in.topics = append(in.topics, in.topics[0]+"-rows")
		streams = append(streams, rows)
	}
	if mates, ok := w.Mates(n, in.start); ok {
		in.topics = append(in.topics, in.topics[0]+"-mates")
		streams = append(streams, mates)
	}
	began := time.Now()
	if err := h.broker.Create(ctx, in.topics...); err != nil {
		return in, err
	}
	for i, topic := range in.topics {
		if err := h.broker.Load(ctx, topic, streams[i]); err != nil {
			return in, err
		}
	}
	h.say("%s: %d records loaded in %.1f s", w.Name, n, time.Since(began).Seconds())
	return in, nil
}

// once is one run of one engine in the mode asked for.
func (h *harness) once(ctx context.Context, in inputs, e engine, round int) outcome {
	o := outcome{workload: in.workload.Name, engine: e.name, round: round}
	ctx, cancel := context.WithTimeoutCause(ctx, h.deadline, fmt.Errorf("the deadline of %v has passed", h.deadline))
	defer cancel()
	a, err := h.prepare(ctx, in, e, round)
	if err == nil {
		o.values, err = map[mode]func(*attempt, context.Context) (values, error){
			throughput: (*attempt).throughput, restart: (*attempt).restart, restore: (*attempt).restore,
		}[h.mode](a, ctx)
		a.close()
	}
	o.err = err
	h.say("%s", o)
	return o
}

// clean deletes what a run left on the broker, also after an interrupt.
func (h *harness) clean(prefix string) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanTimeout)
	defer cancel()
	if err := h.broker.Remove(ctx, prefix); err != nil {
		h.say("not cleaned up: %v", err)
	}
}
