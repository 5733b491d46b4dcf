// Command h is a count written by hand on franz-go and Pebble, without an engine: the ceiling for stateful workloads.
//
//	records ─► dirty map ─► changelog + output records ─┐ one
//	             │ miss                  input offsets ─┴─ transaction ─► dirty map + changelog offsets ─► Pebble, one batch
//	             ▼
//	           Pebble
//
// It is a yardstick, not a product: it assumes one process that owns every partition, restores all of them before it joins
// the group, writes each output record to the partition of its input, never expires old windows, and ends at the first error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

var workloads = []string{"count-1k", "count-100k", "count-1m", "window"}

func main() {
	readCache := 0
	contract.Main("h", workloads, func(f *flag.FlagSet) {
		f.IntVar(&readCache, "read-cache", 0, "committed values kept in memory over transactions, in `ENTRIES`")
	}, func(ctx context.Context, o contract.Options) error { return run(ctx, o, readCache) })
}

// run counts until ctx ends.
func run(ctx context.Context, o contract.Options, readCache int) error {
	if o.Guarantee == contract.AtMostOnce || o.Workers > 1 {
		return fmt.Errorf("wants --guarantee eos or alos and --workers 1, not %s and %d", o.Guarantee, o.Workers)
	}
	eos := o.Guarantee == contract.ExactlyOnce
	txnID := o.App + "-0"
	e := &engine{
		out: o.Out, changelog: o.App + "-count-changelog", emitEach: o.CacheMB == 0,
		dirty: map[storeKey]uint64{}, keyLen: countKey,
	}
	if o.Workload == "window" {
		e.windowed, e.keyLen = true, windowKey
	}
	if eos { // first, so that a former process's transaction is over before its changelog is read
		if err := fence(ctx, o.Brokers, txnID); err != nil {
			return fmt.Errorf("fence %s: %w", txnID, err)
		}
	}
	s, err := openStore(o.StateDir, readCache)
	if err != nil {
		return fmt.Errorf("open %s: %w", o.StateDir, err)
	}
	e.store = s
	if err := e.restore(ctx, o.Brokers, o.In[0]); err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), s.close())
	}
	return errors.Join(e.loop(ctx, o, eos, txnID), s.close())
}

// fence ends what an earlier process left open under the transactional id.
func fence(ctx context.Context, brokers []string, txnID string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(txnID))
	if err != nil {
		return err
	}
	defer cl.Close()
	_, _, err = cl.ProducerID(ctx)
	return err
}

// loop joins the group and runs one transaction after the other.
func (e *engine) loop(ctx context.Context, o contract.Options, eos bool, txnID string) error {
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ConsumerGroup(o.App),
		kgo.ConsumeTopics(o.In...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.MaxBufferedRecords(100_000),
		kgo.DisableAutoCommit(),
	}
	begin := func() error { return nil }
	end := func() (bool, error) { return true, e.cl.CommitUncommittedOffsets(context.Background()) }
	if eos {
		sess, err := kgo.NewGroupTransactSession(append(opts, kgo.TransactionalID(txnID))...)
		if err != nil {
			return err
		}
		defer sess.Close()
		e.cl = sess.Client()
		begin = sess.Begin
		end = func() (bool, error) { return sess.End(context.Background(), kgo.TryCommit) }
	} else {
		cl, err := kgo.NewClient(opts...)
		if err != nil {
			return err
		}
		defer cl.Close()
		e.cl = cl
	}
	for ctx.Err() == nil {
		if err := begin(); err != nil {
			return err
		}
		if err := e.transact(ctx, o.Commit, end); err != nil {
			return err
		}
	}
	return nil
}
