package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

// restore creates the changelog with as many partitions as the input, if it is missing, and brings the store up to its end.
func (e *engine) restore(ctx context.Context, brokers []string, in string) error {
	base, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer base.Close()
	adm := kadm.NewClient(base)
	topics, err := adm.ListTopics(ctx, in)
	if err != nil {
		return err
	}
	if err := topics.Error(); err != nil {
		return fmt.Errorf("topic %s: %w", in, err)
	}
	parts := len(topics[in].Partitions)
	if parts > maxPartitions {
		return fmt.Errorf("topic %s has %d partitions: this program keeps at most %d", in, parts, maxPartitions)
	}
	compact := map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}
	_, err = adm.CreateTopic(ctx, int32(parts), 1, compact, e.changelog)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create %s: %w", e.changelog, err)
	}
	ends, err := adm.ListCommittedOffsets(ctx, e.changelog)
	if err != nil {
		return err
	}
	from := map[int32]kgo.Offset{}
	for p := range parts {
		at, err := e.store.offset(p)
		if err != nil {
			return err
		}
		e.store.next[p] = at
		if o, ok := ends.Lookup(e.changelog, int32(p)); ok && at < o.Offset {
			from[int32(p)] = kgo.NewOffset().At(at)
		}
	}
	if len(from) == 0 {
		return nil
	}
	return e.replay(ctx, brokers, from, ends)
}

// replay reads the changelog's partitions from the given offsets to their ends into the store. The ends count markers,
// which are therefore read too.
func (e *engine) replay(ctx context.Context, brokers []string, from map[int32]kgo.Offset, ends kadm.ListedOffsets) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{e.changelog: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	replayed := 0
	for left := len(from); left > 0; {
		fs := cl.PollRecords(ctx, 5_000)
		if err := fs.Err(); err != nil {
			return err
		}
		b := e.store.db.NewBatch()
		var failed error
		fs.EachPartition(func(f kgo.FetchTopicPartition) {
			if len(f.Records) == 0 || failed != nil {
				return
			}
			for _, r := range f.Records {
				if r.Attrs.IsControl() {
					continue
				}
				replayed++
				var k storeKey
				binary.BigEndian.PutUint16(k[:], uint16(r.Partition))
				if failed = b.Set(k[:2+copy(k[2:], r.Key)], r.Value, nil); failed != nil {
					return
				}
			}
			end, _ := ends.Lookup(e.changelog, f.Partition)
			before := e.store.next[f.Partition]
			now := f.Records[len(f.Records)-1].Offset + 1
			if before < end.Offset && now >= end.Offset {
				left--
			}
			e.store.next[f.Partition] = now
			failed = e.store.setOffset(b, int(f.Partition))
		})
		if failed != nil {
			return failed
		}
		if err := b.Commit(pebble.NoSync); err != nil {
			return err
		}
	}
	contract.Report(contract.Replayed, int64(replayed))
	return nil
}
