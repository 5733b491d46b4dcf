package kstream

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/proc"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// ProcessBatch runs a processor that takes several records at once: to look many keys up with one call, or to fold before
// writing. A batch is handled when it has most records, and at every commit, so it belongs to the transaction of its
// records and nothing of it outlives a crash. Records are in the order in which they came; their times and headers are in
// them, while Out.Send sends with those of the record that filled the batch, or at a commit with event time.
//
// A failure of the handler is one of the record that filled the batch: if a policy skips that one, the others wait for the
// next. At a commit there is no such record, and a failure ends the app whatever the policies say.
func (s Stream[K, V]) ProcessBatch[K2, V2 any](name string, most int, setup topology.BatchSetup[K, V, K2, V2], stores ...store.Spec) Stream[K2, V2] {
	c := call("ProcessBatch", name)
	step := dsl.Step{Call: c, Kind: "process-batch", Name: name, NilFunc: setup == nil, Stores: s.decls(c, stores)}
	s.named(c, name)
	if most < 1 {
		s.h().Builder(c).Report(graph.Caller(), c, fmt.Errorf("batches of at most %d records: want 1 or more", most))
	}
	return Stream[K2, V2](s.h().Route(step, func(env graph.Env, n *graph.Node, ends dsl.Ends[K2, V2]) record.Fn[K, V] {
		hand := proc.NewHand(n)
		out := proc.NewOut(env.Meta(), hand, ends.All).With(ends)
		handle := setup((*topology.Task)(proc.NewTask(env, n, hand)), topology.Out[K2, V2](out))
		if handle == nil {
			record.Fail(int32(n.ID), errors.New("kstream: the processor's setup returned a nil BatchHandler"))
		}
		return openBatch(env, n, hand, most, handle)
	}))
}

// A batch is the records of the open transaction that wait to be handled together.
//
//	        base                 handled                   taken
//	records ┤ of the record in hand ┤ of the next batch ┤
//
// Handled records are kept until the record in hand is through: if it is rolled back, they wait again.
type batch[K, V any] struct {
	env    graph.Env
	id     int32
	hand   *proc.Hand
	most   int
	handle topology.BatchHandler[K, V]

	records        []topology.Record[K, V]
	base           int64        // number of records[0]; numbers begin anew after each commit
	handled, taken *graph.Clock // how many were; a rollback puts them back
	at             record.Position
}

func openBatch[K, V any](env graph.Env, n *graph.Node, hand *proc.Hand, most int, handle topology.BatchHandler[K, V]) record.Fn[K, V] {
	// At a commit both clocks are as new: no offset carries them.
	b := &batch[K, V]{
		env: env, id: int32(n.ID), hand: hand, most: most, handle: handle,
		handled: env.Clock(n.Name + "/handled"), taken: env.Clock(n.Name + "/taken"),
	}
	env.OnRollback(b.rollback)
	env.AtCommit(n, b.commit)
	return b.take
}

func (b *batch[K, V]) take(m *record.Meta, k K, v V) {
	b.trim()
	b.records = append(b.records, whole(m, k, v))
	b.taken.Set(max(b.taken.Now(), 0) + 1)
	for b.waiting() >= int64(b.most) {
		b.run()
	}
}

func (b *batch[K, V]) waiting() int64 { return max(b.taken.Now(), 0) - max(b.handled.Now(), 0) }

// trim forgets the records handled before the one in hand, which can be rolled back no more.
func (b *batch[K, V]) trim() {
	topic, partition, offset, ok := b.env.Position()
	at := record.Position{Topic: topic, Partition: partition, Offset: offset}
	if !ok || at == b.at {
		return
	}
	b.at = at
	if n := max(b.handled.Now(), 0) - b.base; n > 0 {
		kept := append(b.records[:0], b.records[n:]...)
		clear(b.records[len(kept):])
		b.records, b.base = kept, b.base+n
	}
}

// run handles the next batch of what waits.
func (b *batch[K, V]) run() {
	from := max(b.handled.Now(), 0)
	n := min(b.waiting(), int64(b.most))
	b.env.Meta().Node = b.id
	b.hand.Take()
	if err := b.handle(b.env.Context(), b.records[from-b.base:][:n:n]); err != nil {
		record.Fail(b.id, err)
	}
	b.handled.Set(from + n)
}

func (b *batch[K, V]) commit() {
	for b.waiting() > 0 {
		b.run()
	}
	b.handled.Set(-1)
	b.taken.Set(-1)
	b.rollback()
}

func (b *batch[K, V]) rollback() {
	if b.taken.Now() < 0 { // of all that the transaction did
		b.base, b.at = 0, record.Position{}
	}
	n := max(b.taken.Now(), 0) - b.base
	clear(b.records[n:])
	b.records = b.records[:n]
}
