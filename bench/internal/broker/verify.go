package broker

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// Verify reads a topic read_committed to its ends and compares it in full with what is expected. It fails when a
// transaction stays open in the topic.
func (b *Broker) Verify(ctx context.Context, topic string, want workload.Checker) error {
	ends, err := b.ends(ctx, topic)
	if err != nil {
		return err
	}
	left := map[int32]kgo.Offset{}
	for p, end := range ends {
		if end > 0 {
			left[p] = kgo.NewOffset().At(0)
		}
	}
	if err := b.read(ctx, topic, left, ends, &placed{Checker: want, place: kgo.StickyKeyPartitioner(nil).ForTopic("")}); err != nil {
		return err
	}
	if err := want.Complete(); err != nil {
		return fmt.Errorf("wrong output: %w", err)
	}
	return nil
}

// read hands the records of the partitions left to want, until all have reached their ends.
func (b *Broker) read(ctx context.Context, topic string, left map[int32]kgo.Offset, ends map[int32]int64, want *placed) error {
	if len(left) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(b.seeds...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: left}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // ends count markers, which may be the last
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	for len(left) > 0 {
		fs := cl.PollRecords(ctx, 50_000)
		if err := fs.Err(); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		var wrong error
		fs.EachRecord(func(r *kgo.Record) {
			if wrong == nil && !r.Attrs.IsControl() {
				wrong = want.check(r)
			}
			if r.Offset+1 >= ends[r.Partition] {
				delete(left, r.Partition)
			}
		})
		if wrong != nil {
			return fmt.Errorf("wrong output: %w", wrong)
		}
	}
	return nil
}

// placed is a checker that also wants each key in the partition of the default partitioner.
type placed struct {
	workload.Checker
	place kgo.TopicPartitioner
	key   kgo.Record // in hand
	rec   workload.Record
}

func (c *placed) check(r *kgo.Record) error {
	c.rec = workload.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Time: r.Timestamp.UnixMilli()}
	c.rec.Marked = slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == workload.MarkHeader })
	if err := c.Check(&c.rec); err != nil {
		return err
	}
	c.key.Key = r.Key[:workload.KeyBytes] // a windowed key lies where its key does
	if p := c.place.Partition(&c.key, workload.Partitions); int32(p) != r.Partition {
		return fmt.Errorf("key %x is in partition %d, the default partitioner says %d", r.Key, r.Partition, p)
	}
	return nil
}
