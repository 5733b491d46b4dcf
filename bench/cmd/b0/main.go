// Command b0 is the floor under every engine: the shortest franz-go loop that copies a topic through a value map, in
// transactions or at least once. It is a yardstick, not a product: it ends at the first error, and knows one worker and
// the workload copy only.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

func main() { contract.Main("b0", []string{"copy"}, nil, run) }

// run copies until ctx ends.
func run(ctx context.Context, o contract.Options) error {
	if o.Guarantee == contract.AtMostOnce || o.Workers > 1 {
		return fmt.Errorf("wants --guarantee eos or alos and --workers 1, not %s and %d", o.Guarantee, o.Workers)
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ConsumerGroup(o.App),
		kgo.ConsumeTopics(o.In...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DefaultProduceTopic(o.Out),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.MaxBufferedRecords(50_000),
	}
	if o.Guarantee == contract.ExactlyOnce {
		return runTransactions(ctx, o, opts)
	}
	return runAtLeastOnce(ctx, o, opts)
}

func runTransactions(ctx context.Context, o contract.Options, opts []kgo.Opt) error {
	sess, err := kgo.NewGroupTransactSession(append(opts, kgo.TransactionalID(o.App+"-0"))...)
	if err != nil {
		return err
	}
	defer sess.Close()
	var refused kgo.FirstErrPromise
	for ctx.Err() == nil {
		if err := sess.Begin(); err != nil {
			return err
		}
		if err := copyFor(ctx, sess.Client(), o.Commit, &refused); err != nil {
			return err
		}
		// The end of a transaction outlives ctx: a stop commits what was copied.
		if err := sess.Client().Flush(context.Background()); err != nil {
			return err
		}
		if err := refused.Err(); err != nil {
			return err
		}
		if _, err := sess.End(context.Background(), kgo.TryCommit); err != nil {
			return err
		}
	}
	return nil
}

func runAtLeastOnce(ctx context.Context, o contract.Options, opts []kgo.Opt) error {
	cl, err := kgo.NewClient(append(opts, kgo.DisableAutoCommit())...)
	if err != nil {
		return err
	}
	defer cl.Close()
	var refused kgo.FirstErrPromise
	for ctx.Err() == nil {
		if err := copyFor(ctx, cl, o.Commit, &refused); err != nil {
			return err
		}
		if err := cl.Flush(context.Background()); err != nil {
			return err
		}
		if err := refused.Err(); err != nil {
			return err
		}
		if err := cl.CommitUncommittedOffsets(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// copyFor polls and produces for one commit interval. While nothing was read it goes on waiting for the first record.
func copyFor(ctx context.Context, cl *kgo.Client, interval time.Duration, refused *kgo.FirstErrPromise) error {
	deadline := time.Now().Add(interval)
	for n := 0; ctx.Err() == nil; {
		wait := deadline
		if n == 0 {
			wait = time.Now().Add(time.Second)
		}
		pctx, cancel := context.WithDeadline(ctx, wait)
		fs := cl.PollRecords(pctx, 10_000)
		cancel()
		for _, e := range fs.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
				return fmt.Errorf("read %s/%d: %w", e.Topic, e.Partition, e.Err)
			}
		}
		fs.EachRecord(func(r *kgo.Record) {
			n++
			cl.Produce(context.Background(), &kgo.Record{
				Key: r.Key, Value: mapValue(r.Value), Headers: r.Headers, Timestamp: r.Timestamp,
			}, refused.Promise())
		})
		if n > 0 && !time.Now().Before(deadline) {
			return nil
		}
	}
	return nil
}

// mapValue returns a new value: the old one with the bits of its first byte inverted.
func mapValue(v []byte) []byte {
	o := append([]byte(nil), v...)
	o[0] ^= 0xff
	return o
}
