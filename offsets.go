package millrace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/txn"
)

// committed is what the group has for one partition; offset -1: nothing.
type committed struct {
	offset   int64
	epoch    int32
	metadata string
}

// stableOffsets returns the group's offsets, once no transaction holds any of them back: with pending ones, input that another
// process has already processed would be read again. It never gives up while ctx lasts, but says what it waits for.
func (p *process) stableOffsets(ctx context.Context, tps []task.TP, note func(why string)) (map[task.TP]committed, error) {
	began := time.Now()
	hung := false
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		got, unstable, err := p.fetchOffsets(ctx, tps)
		if err == nil && unstable == nil {
			return got, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		switch {
		case err != nil:
			if denied := p.denied(err, "", ""); denied != nil {
				return nil, denied
			}
			if txn.Classify(err) == txn.Denied {
				return nil, fmt.Errorf("millrace: read the offsets of group %q: %w", p.cfg.ApplicationID, err)
			}
			note(fmt.Sprintf("committed offsets cannot be read: %v", err))
		default:
			note(fmt.Sprintf("a transaction holds the offset of %s/%d back", unstable.Topic, unstable.Partition))
			if since := time.Since(began); since > p.hangAfter() && !hung {
				hung = true
				p.hanging(*unstable, since, true)
			}
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// fetchOffsets asks once, for stable offsets. unstable names a partition whose offset is pending.
func (p *process) fetchOffsets(ctx context.Context, tps []task.TP) (got map[task.TP]committed, unstable *task.TP, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = p.cfg.ApplicationID
	byTopic := map[string][]int32{}
	for _, tp := range tps {
		byTopic[tp.Topic] = append(byTopic[tp.Topic], tp.Partition)
	}
	for topic, parts := range byTopic {
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		t.Topic, t.Partitions = topic, parts
		g.Topics = append(g.Topics, t)
	}
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(ctx, p.admin)
	if err != nil {
		return nil, nil, err
	}
	got = map[task.TP]committed{}
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return nil, nil, err
		}
		for _, t := range g.Topics {
			for _, part := range t.Partitions {
				tp := task.TP{Topic: t.Topic, Partition: part.Partition}
				switch err := kerr.ErrorForCode(part.ErrorCode); {
				case errors.Is(err, kerr.UnstableOffsetCommit):
					return nil, &tp, nil
				case errors.Is(err, kerr.TopicAuthorizationFailed):
					return nil, nil, p.denied(err, t.Topic, "Read")
				case err != nil:
					return nil, nil, fmt.Errorf("%s/%d: %w", t.Topic, part.Partition, err)
				}
				c := committed{offset: part.Offset, epoch: part.LeaderEpoch}
				if part.Metadata != nil {
					c.metadata = *part.Metadata
				}
				got[tp] = c
			}
		}
	}
	for _, tp := range tps {
		if _, ok := got[tp]; !ok {
			return nil, nil, fmt.Errorf("%s/%d is missing in the answer", tp.Topic, tp.Partition)
		}
	}
	return got, nil, nil
}

// listEnds returns the ends of partitions: the last stable offsets, or the high watermarks.
func (p *process) listEnds(ctx context.Context, tps []task.TP, stable bool) (map[task.TP]int64, error) {
	level := int8(0)
	if stable {
		level = 1
	}
	return p.listOffsets(ctx, tps, -1, level)
}

// listStarts returns the first offsets of partitions.
func (p *process) listStarts(ctx context.Context, tps []task.TP) (map[task.TP]int64, error) {
	return p.listOffsets(ctx, tps, -2, 0)
}

// listOffsets asks for the offsets at a timestamp: -1 end, -2 start, else milliseconds.
func (p *process) listOffsets(ctx context.Context, tps []task.TP, at int64, isolation int8) (map[task.TP]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = isolation
	byTopic := map[string]int{}
	for _, tp := range tps {
		i, ok := byTopic[tp.Topic]
		if !ok {
			i = len(req.Topics)
			byTopic[tp.Topic] = i
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = tp.Topic
			req.Topics = append(req.Topics, t)
		}
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp = tp.Partition, at
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, part)
	}
	got := map[task.TP]int64{}
	for _, shard := range p.admin.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return got, shard.Err
		}
		resp := shard.Resp.(*kmsg.ListOffsetsResponse)
		for _, t := range resp.Topics {
			for _, part := range t.Partitions {
				if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
					if denied := p.denied(err, t.Topic, "Read"); denied != nil {
						return got, denied
					}
					return got, fmt.Errorf("ListOffsets of %s/%d: %w", t.Topic, part.Partition, err)
				}
				got[task.TP{Topic: t.Topic, Partition: part.Partition}] = part.Offset
			}
		}
	}
	return got, nil
}

// startOffsets returns where inputs without a committed offset begin.
func (p *process) startOffsets(ctx context.Context, start graph.Start, tps []task.TP) (map[task.TP]int64, error) {
	switch start.Kind {
	case graph.Latest:
		return p.listEnds(ctx, tps, true)
	case graph.Ago:
		got, err := p.listOffsets(ctx, tps, time.Now().Add(-start.Ago).UnixMilli(), 1)
		if err != nil {
			return nil, err
		}
		var none []task.TP // no record is that young: begin at the end
		for tp, o := range got {
			if o < 0 {
				none = append(none, tp)
			}
		}
		if len(none) > 0 {
			ends, err := p.listEnds(ctx, none, true)
			if err != nil {
				return nil, err
			}
			for tp, o := range ends {
				got[tp] = o
			}
		}
		return got, nil
	}
	return p.listStarts(ctx, tps)
}

// topicIDs returns the ids of topics.
func (p *process) topicIDs(ctx context.Context, names ...string) (map[string]kadm.TopicID, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := describeTopics(ctx, p.admin, names...)
	if err != nil {
		return nil, err
	}
	ids := map[string]kadm.TopicID{}
	for _, name := range names {
		d, ok := found[name]
		if denied := p.denied(d.Err, name, "Read"); denied != nil {
			return nil, denied
		}
		if !ok || d.Err != nil {
			return nil, &TopicError{name, "", "is gone", "was it deleted while the app ran? Reset the app", d.Err}
		}
		ids[name] = d.ID
	}
	return ids, nil
}
