package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// Load writes an input into a topic: uncompressed, in order within each partition, each key placed by its hash. Records
// are not in transactions.
func (b *Broker) Load(ctx context.Context, topic string, in workload.Input) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(b.seeds...),
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(20*time.Millisecond),
		kgo.MaxBufferedRecords(100_000),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // drops what is still buffered after an error
	var refused kgo.FirstErrPromise
	mark := []kgo.RecordHeader{{Key: workload.MarkHeader}}
	for i := range in.Records {
		if i%10_000 == 0 && ctx.Err() != nil {
			break
		}
		var r workload.Record
		in.Fill(i, &r)
		kr := &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Time)}
		if r.Marked {
			kr.Headers = mark
		}
		cl.Produce(ctx, kr, refused.Promise())
	}
	if err := cl.Flush(ctx); err != nil {
		return fmt.Errorf("load %s: %w", topic, err)
	}
	if err := refused.Err(); err != nil {
		return fmt.Errorf("load %s: %w", topic, err)
	}
	return nil
}
