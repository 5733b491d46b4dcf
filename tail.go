package millrace

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/internal/task"
)

// tail fetches once, and returns what a read_committed reader sees and the offset behind all that was looked at. The client's
// reader hides the latter when nothing before it is visible: the end of a log may be records of an aborted transaction
// without a marker, or a hole that compaction has left, and a restore that waits for a record there would never end.
func (p *process) tail(ctx context.Context, tp task.TP, at int64) ([]*kgo.Record, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := describeTopics(ctx, p.admin, tp.Topic)
	if err != nil {
		return nil, at, err
	}
	d := found[tp.Topic]
	part, ok := d.Partitions[tp.Partition]
	if !ok || d.Err != nil || part.Err != nil {
		return nil, at, fmt.Errorf("millrace: %s/%d has no leader at present", tp.Topic, tp.Partition)
	}
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = -1, 0, 0, 1<<20, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = tp.Topic, d.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = tp.Partition, at, 1<<20
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, p.admin.Broker(int(part.Leader)))
	if err != nil {
		return nil, at, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, at, err
	}
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			f, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
				KeepControlRecords: true, Offset: at, IsolationLevel: kgo.ReadCommitted(), Topic: tp.Topic, Partition: tp.Partition,
			}, &resp.Topics[i].Partitions[j], kgo.DefaultDecompressor(), nil)
			return f.Records, next, f.Err
		}
	}
	return nil, at, fmt.Errorf("millrace: fetch of %s/%d was answered without it", tp.Topic, tp.Partition)
}
