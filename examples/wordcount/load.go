package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partitions of both topics, when they are made here.
const partitions = 4

// createTopics makes the topics that are missing.
func createTopics(ctx context.Context, adm *kadm.Client) error {
	for _, name := range []string{Lines.Name(), Counts.Name()} {
		_, err := adm.CreateTopic(ctx, partitions, -1, nil, name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %q: %w", name, err)
		}
	}
	return nil
}

// load writes the text to the topic lines: line i to partition i mod n. What an earlier run has written is not written again:
// the lines of a partition are in order, so the end of the partition says how many are there.
func load(ctx context.Context, brokers []string, input string, progress *atomic.Int64) (lines int64, err error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	there, err := endOffsets(ctx, kadm.NewClient(cl), Lines.Name())
	if err != nil {
		return 0, err
	}
	n := int64(len(there))
	check := map[int32]string{} // last line of each partition that is there already
	var failed kgo.FirstErrPromise
	err = eachLine(input, func(line string) error {
		part := int32(lines % n)
		switch index := lines / n; {
		case index == there[part]-1:
			check[part] = line
		case index >= there[part]:
			cl.Produce(ctx, &kgo.Record{Topic: Lines.Name(), Partition: part, Value: []byte(line)}, failed.Promise())
		}
		lines++
		progress.Store(lines)
		return ctx.Err()
	})
	if err != nil {
		return lines, err
	}
	if err := cl.Flush(ctx); err != nil {
		return lines, err
	}
	if err := failed.Err(); err != nil {
		return lines, err
	}
	return lines, verify(ctx, brokers, there, check)
}

// verify makes sure that what was in the topic before is this text.
func verify(ctx context.Context, brokers []string, there map[int32]int64, check map[int32]string) error {
	from := map[int32]kgo.Offset{}
	for part, end := range there {
		if end > 0 {
			if _, ok := check[part]; !ok {
				return errOtherText
			}
			from[part] = kgo.NewOffset().At(end - 1)
		}
	}
	if len(from) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{Lines.Name(): from}), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	for len(from) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return err
		}
		var other bool
		fs.EachRecord(func(r *kgo.Record) {
			if r.Offset == there[r.Partition]-1 {
				other = other || string(r.Value) != check[r.Partition]
				delete(from, r.Partition)
			}
		})
		if other {
			return errOtherText
		}
	}
	return nil
}

var errOtherText = errors.New("topic \"lines\" holds another text already: use another -state-dir, or delete the topics lines and word-counts and the group wordcount")

// endOffsets returns the end of every partition of a topic: what open transactions have written counts.
func endOffsets(ctx context.Context, adm *kadm.Client, topic string) (map[int32]int64, error) {
	listed, err := adm.ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ends of topic %q: %w", topic, err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}
