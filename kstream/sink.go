package kstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// sinkBatch is how many records wait for a Write of a task, at most, and so how many one takes.
const sinkBatch = 256

// ToSink writes the stream, deletions too, to another system, exactly once. The records go through a topic, called
// <application id>-<name>-repartition; those that are committed there are written in its order, as many at once as there are,
// outside of transactions, and its offsets are committed behind them. After a crash the sink says what it has. A Write that
// fails is tried again three times; then the error policy is asked.
func (s Stream[K, V]) ToSink(name string, sink topology.Sink[K, V]) {
	c := call("ToSink", name)
	h := s.h()
	if sink == nil {
		h.Builder(c).Report(graph.Caller(), c, errors.New("the sink is nil: pass one"))
	}
	through := h.Repartition(c, name, 0, nil, s.serdes(c))
	n := through.End(dsl.Step{Call: c, Kind: "to-sink", NullKeys: true}, func(env graph.Env, n *graph.Node) record.Fn[K, V] {
		id, w := int32(n.ID), &sinkWriter[K, V]{env: env, sink: sink, turn: make(chan struct{}, 1), stored: -1}
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			_, done, err := env.Await(n, func() graph.Call { return w.ask(whole(m, k, v)) })
			if done && err != nil {
				record.Fail(id, err)
			}
		}
	})
	n.Async = &graph.Async{Parallel: sinkBatch, Timeout: 30 * time.Second, Retries: 3, Backoff: 100 * time.Millisecond}
}

// A sinkWriter writes the records of one partition. Each has a call that wants it written; whose turn it is writes all that
// there are.
type sinkWriter[K, V any] struct {
	env  graph.Env
	sink topology.Sink[K, V]

	turn  chan struct{} // held by who calls the sink
	begun bool          // with turn
	epoch int64         // with turn

	mu     sync.Mutex
	wanted []sinkRecord[K, V] // ascending by offset, all > stored
	stored int64              // last offset known to be stored
}

type sinkRecord[K, V any] struct {
	offset int64
	topology.Record[K, V]
}

// ask wants the record in hand written. Records come in order; one that does not come after the last was rewound to, and
// what was wanted from it on will be wanted again.
func (w *sinkWriter[K, V]) ask(r topology.Record[K, V]) graph.Call {
	topic, partition, offset, _ := w.env.Position()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = slices.DeleteFunc(w.wanted, func(have sinkRecord[K, V]) bool { return have.offset >= offset })
	if offset > w.stored {
		w.wanted = append(w.wanted, sinkRecord[K, V]{offset, r})
	}
	return &sinkCall[K, V]{w, topology.Position{Topic: topic, Partition: partition, Offset: offset}}
}

// A sinkCall wants one record written.
type sinkCall[K, V any] struct {
	w  *sinkWriter[K, V]
	at topology.Position
}

var errRewound = errors.New("kstream: the record is not wanted any more")

// Try implements graph.Call.
func (c *sinkCall[K, V]) Try(ctx context.Context) (err error) {
	w := c.w
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if p := recover(); p != nil {
			err = topology.NewPanicError(p)
		}
		w.begun = w.begun && err == nil // what became of the records only Begin can tell
		<-w.turn
	}()
	if !w.begun {
		var last int64
		if w.epoch, last, err = w.sink.Begin(ctx, c.at); err != nil {
			return err
		}
		w.begun = true
		w.store(last)
	}
	records, last := w.batch(c.at.Offset)
	switch {
	case last < 0:
		return nil // stored
	case len(records) == 0:
		return errRewound
	}
	at := c.at
	at.Offset = last
	if err = w.sink.Write(ctx, at, w.epoch, records); err != nil {
		return err
	}
	w.store(last)
	return nil
}

// store tells that records are stored up to an offset.
func (w *sinkWriter[K, V]) store(last int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored = last
	w.wanted = slices.DeleteFunc(w.wanted, func(r sinkRecord[K, V]) bool { return r.offset <= last })
}

// batch returns all records that are wanted, and the offset of the last one; -1 if the one at the given offset is stored, and
// none if it is not wanted.
func (w *sinkWriter[K, V]) batch(offset int64) (records []topology.Record[K, V], last int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if offset <= w.stored {
		return nil, -1
	}
	if !slices.ContainsFunc(w.wanted, func(r sinkRecord[K, V]) bool { return r.offset == offset }) {
		return nil, offset
	}
	for _, r := range w.wanted {
		records = append(records, r.Record)
		last = r.offset
	}
	return records, last
}
