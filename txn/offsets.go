package txn

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Membership identifies the group member that commits: it is what fences a process whose tasks have moved (KIP-447).
type Membership struct {
	MemberID   string
	InstanceID string // static membership; empty: dynamic
	Generation int32
}

// Offset is one committed position: the next record to process.
type Offset struct {
	Topic     string
	Partition int32
	Offset    int64
	Epoch     int32 // leader epoch of the record before, -1 unknown
	Metadata  string
}

// OffsetError is an offset that a commit was refused for.
type OffsetError struct {
	Request   string // TxnOffsetCommit or OffsetCommit
	Group     string
	Topic     string
	Partition int32
	Err       error
}

func (e *OffsetError) Error() string {
	return fmt.Sprintf("txn: %s of group %q, %s/%d: %v", e.Request, e.Group, e.Topic, e.Partition, e.Err)
}

func (e *OffsetError) Unwrap() error { return e.Err }

// SendOffsets adds offsets to the open transaction.
func (p *Producer) SendOffsets(ctx context.Context, m Membership, offsets []Offset) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	id, epoch, err := p.cl.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("txn: producer id of %q: %w", p.cfg.TransactionalID, err)
	}
	if !p.cfg.Version2 {
		if err := p.addOffsets(ctx, id, epoch); err != nil {
			return err
		}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = p.cfg.TransactionalID, p.cfg.Group, id, epoch
	req.Generation, req.MemberID = m.Generation, m.MemberID
	if m.InstanceID != "" {
		req.InstanceID = &m.InstanceID
	}
	var t *kmsg.TxnOffsetCommitRequestTopic
	for _, o := range offsets {
		if t == nil || t.Topic != o.Topic {
			req.Topics = append(req.Topics, kmsg.NewTxnOffsetCommitRequestTopic())
			t = &req.Topics[len(req.Topics)-1]
			t.Topic = o.Topic
		}
		rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = o.Partition, o.Offset, o.Epoch, &o.Metadata
		t.Partitions = append(t.Partitions, rp)
	}
	return retry(ctx, func() error {
		resp, err := req.RequestWith(ctx, p.cl)
		if err != nil {
			return fmt.Errorf("txn: TxnOffsetCommit of group %q: %w", p.cfg.Group, err)
		}
		for _, t := range resp.Topics {
			for _, rp := range t.Partitions {
				if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
					return &OffsetError{"TxnOffsetCommit", p.cfg.Group, t.Topic, rp.Partition, err}
				}
			}
		}
		return nil
	})
}

// addOffsets makes the group's offsets part of a transaction of version 1; version 2 does so by itself.
func (p *Producer) addOffsets(ctx context.Context, id int64, epoch int16) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.cfg.TransactionalID, id, epoch, p.cfg.Group
	return retry(ctx, func() error {
		resp, err := req.RequestWith(ctx, p.cl)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err != nil {
			return fmt.Errorf("txn: AddOffsetsToTxn of group %q: %w", p.cfg.Group, err)
		}
		return nil
	})
}

// CommitOffsets commits offsets without a transaction.
func (p *Producer) CommitOffsets(ctx context.Context, m Membership, offsets []Offset) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	return PlainCommit(ctx, p.cl, p.cfg.Group, m, offsets)
}

// PlainCommit commits offsets without a transaction, over any client.
func PlainCommit(ctx context.Context, cl *kgo.Client, group string, m Membership, offsets []Offset) error {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID = group, m.Generation, m.MemberID
	if m.InstanceID != "" {
		req.InstanceID = &m.InstanceID
	}
	var t *kmsg.OffsetCommitRequestTopic
	for _, o := range offsets {
		if t == nil || t.Topic != o.Topic {
			req.Topics = append(req.Topics, kmsg.NewOffsetCommitRequestTopic())
			t = &req.Topics[len(req.Topics)-1]
			t.Topic = o.Topic
		}
		rp := kmsg.NewOffsetCommitRequestTopicPartition()
		rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = o.Partition, o.Offset, o.Epoch, &o.Metadata
		t.Partitions = append(t.Partitions, rp)
	}
	return retry(ctx, func() error {
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			return fmt.Errorf("txn: OffsetCommit of group %q: %w", group, err)
		}
		for _, t := range resp.Topics {
			for _, rp := range t.Partitions {
				if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
					return &OffsetError{"OffsetCommit", group, t.Topic, rp.Partition, err}
				}
			}
		}
		return nil
	})
}

// retry repeats a request while the coordinator says that nothing happened yet.
func retry(ctx context.Context, f func() error) error {
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := f()
		if err == nil || !retriableOffsets(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// finalizedFeatures asks a broker for the feature levels of the cluster.
func finalizedFeatures(ctx context.Context, cl *kgo.Client) (map[string]int16, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "millrace", "1"
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	levels := map[string]int16{}
	for _, f := range resp.FinalizedFeatures {
		levels[f.Name] = f.MaxVersionLevel
	}
	return levels, nil
}
