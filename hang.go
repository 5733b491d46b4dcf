package millrace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/internal/task"
)

// A transaction that nobody ends holds back what it touched for ever: a partition for readers of committed records, a group's
// offset for whoever takes its task over (KIP-664, KIP-890). Kafka knows how to end it, and the app how to find it.

// hangPatience beyond the transaction timeout, a transaction that nobody ends is hanging.
const hangPatience = 10 * time.Second

// hangAfter is how long a partition or an offset may be held back in good order.
func (p *process) hangAfter() time.Duration { return p.cfg.TransactionTimeout + hangPatience }

const offsetsTopic = "__consumer_offsets"

// hanging tells that a partition is held back. The transaction is looked for in the partition's log; that of a held offset is in
// the log of the group's offsets.
func (p *process) hanging(tp task.TP, since time.Duration, offset bool) {
	log := tp
	if offset {
		log = task.TP{Topic: offsetsTopic, Partition: p.offsetsPartition()}
	}
	open, err := p.openTransaction(p.ctx, log, offset)
	if err != nil {
		p.log.Debug("millrace: look for a hanging transaction", "topic", log.Topic, "partition", log.Partition, "error", err)
	}
	p.tellHanging(tp, since, log, open)
}

func (p *process) tellHanging(tp task.TP, since time.Duration, log task.TP, open transaction) {
	info := HangInfo{Topic: tp.Topic, Partition: tp.Partition, For: since, LogTopic: log.Topic, LogPartition: log.Partition,
		Offset: open.start, ProducerID: open.producer}
	tool := "kafka-transactions.sh --bootstrap-server " + strings.Join(p.cfg.Brokers, ",")
	switch {
	case open.start >= 0:
		info.Remedy = fmt.Sprintf("if nothing ends it, an administrator does: %s abort --topic %s --partition %d --start-offset %d", tool, log.Topic, log.Partition, open.start)
	case log.Partition >= 0:
		info.Remedy = fmt.Sprintf("find its start offset with %s describe-producers --topic %s --partition %d, and end it with abort --topic … --partition … --start-offset …", tool, log.Topic, log.Partition)
	default:
		info.Remedy = fmt.Sprintf("find it with %s find-hanging --topic %s, and end it with abort --topic … --partition … --start-offset …", tool, log.Topic)
	}
	p.log.Error("millrace: hanging transaction", "topic", tp.Topic, "partition", tp.Partition, "for", since.Round(time.Second),
		"producer", open.producer, "offset", open.start, "remedy", info.Remedy)
	if p.cfg.Events.Hanging != nil {
		p.cfg.Events.Hanging(info)
	}
}

// A transaction is one that is open in a partition; -1 where that is not known.
type transaction struct{ producer, start int64 }

// openTransaction returns the transaction that holds a log back: the one that began first; in the log of the offsets of many
// groups, the one of which was heard last longest ago. It needs Read on the topic.
func (p *process) openTransaction(ctx context.Context, log task.TP, shared bool) (transaction, error) {
	first, heard := transaction{-1, -1}, int64(0)
	if log.Partition < 0 {
		return first, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrDescribeProducersRequest()
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = log.Topic, []int32{log.Partition}
	req.Topics = append(req.Topics, t)
	for _, shard := range p.admin.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return first, shard.Err
		}
		for _, t := range shard.Resp.(*kmsg.DescribeProducersResponse).Topics {
			for _, part := range t.Partitions {
				if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
					return first, err
				}
				for _, producer := range part.ActiveProducers {
					start := producer.CurrentTxnStartOffset
					if start < 0 {
						continue
					}
					sooner := start < first.start
					if shared {
						sooner = producer.LastTimestamp < heard
					}
					if first.start < 0 || sooner {
						first, heard = transaction{producer.ProducerID, start}, producer.LastTimestamp
					}
				}
			}
		}
	}
	return first, nil
}

// offsetsPartition returns where the group's offsets are; -1 where the app may not know.
func (p *process) offsetsPartition() int32 {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	found, err := describeTopics(ctx, p.admin, offsetsTopic)
	n := int32(len(found[offsetsTopic].Partitions))
	if err != nil || n == 0 {
		return -1
	}
	var hash int32 // Java's, of a string in ASCII
	for _, c := range []byte(p.cfg.ApplicationID) {
		hash = 31*hash + int32(c)
	}
	return (hash & 0x7fffffff) % n
}

// attended reports whether a coordinator knows the transaction of a producer as open: then it also ends it, by the timeout of
// that producer, which may be longer than ours. Only transactions that the app may describe are seen.
func (p *process) attended(ctx context.Context, producer int64) bool {
	if producer < 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrListTransactionsRequest()
	req.ProducerIDFilters = []int64{producer}
	for _, shard := range p.admin.RequestSharded(ctx, req) {
		if shard.Err != nil {
			continue // brokers before 3.0 cannot say
		}
		for _, t := range shard.Resp.(*kmsg.ListTransactionsResponse).TransactionStates {
			if t.ProducerID == producer && slices.Contains([]string{"Ongoing", "PrepareCommit", "PrepareAbort"}, t.TransactionState) {
				return true
			}
		}
	}
	return false
}

// held is an input whose last stable offset stays behind its end.
type held struct {
	stable int64
	since  time.Time
	told   bool
}

// watchInputs looks until ctx ends whether inputs are held back: the reader, which is shown committed records only, cannot tell that
// from a quiet topic.
func (p *process) watchInputs(ctx context.Context) {
	tick := time.NewTicker(p.hangAfter() / 4)
	defer tick.Stop()
	before := map[task.TP]held{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		var tps []task.TP
		for tp := range p.owned {
			tps = append(tps, tp)
		}
		p.mu.Unlock()
		if len(tps) > 0 {
			before = p.lookForHeld(ctx, tps, before)
		}
	}
}

// lookForHeld tells of the inputs that have been held back for too long, and returns what is held back now.
func (p *process) lookForHeld(ctx context.Context, tps []task.TP, before map[task.TP]held) map[task.TP]held {
	ends, err := p.listEnds(ctx, tps, false)
	if err != nil {
		return before // a leader moves, or the like
	}
	stable, err := p.listEnds(ctx, tps, true)
	if err != nil {
		return before
	}
	now, after := time.Now(), map[task.TP]held{}
	for _, tp := range tps {
		if stable[tp] >= ends[tp] {
			continue
		}
		h, ok := before[tp]
		if !ok || h.stable != stable[tp] {
			h = held{stable: stable[tp], since: now}
		}
		if since := now.Sub(h.since); since > p.hangAfter() && !h.told {
			open, err := p.openTransaction(ctx, tp, false)
			if err != nil {
				p.log.Debug("millrace: look for a hanging transaction", "topic", tp.Topic, "partition", tp.Partition, "error", err)
			}
			if h.told = !p.attended(ctx, open.producer); h.told {
				if open.start < 0 {
					open.start = h.stable // where a transaction begins that holds back all that follows
				}
				p.tellHanging(tp, since, tp, open)
			}
		}
		after[tp] = h
	}
	return after
}
