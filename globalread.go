package millrace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
)

// globalPoll is the most one poll for global tables returns, records.
const globalPoll = 5_000

// read waits for records and applies them. It returns how many partitions have moved.
func (gs *globals) read(ctx context.Context, restoring bool) (moved int, err error) {
	fs := gs.cl.PollRecords(ctx, globalPoll)
	fs.EachPartition(func(f kgo.FetchTopicPartition) {
		i := slices.IndexFunc(gs.tables, func(t *globalTable) bool { return t.g.Topic == f.Topic })
		if i < 0 || err != nil {
			return // an error of the whole client
		}
		t := gs.tables[i]
		if f.Err != nil && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, context.DeadlineExceeded) && !errors.Is(f.Err, kgo.ErrClientClosed) {
			err = gs.failed(t, f.Partition, f.Err)
		}
		if len(f.Records) == 0 || err != nil {
			return
		}
		moved++
		err = gs.take(t, f.Partition, f.Records, f.Records[len(f.Records)-1].Offset+1, restoring)
	})
	return moved, err
}

// take applies the records of a fetch that ended before next.
func (gs *globals) take(t *globalTable, partition int32, recs []*kgo.Record, next int64, restoring bool) error {
	batch := make([]record.In, 0, len(recs))
	for _, kr := range recs {
		if kr.Attrs.IsControl() || kr.Offset < t.next[partition] { // the client may begin again from further back
			continue
		}
		batch = append(batch, record.In{Key: kr.Key, Value: kr.Value, Headers: headersOf(kr), Time: kr.Timestamp.UnixMilli(), Offset: kr.Offset, Epoch: kr.LeaderEpoch})
	}
	next = max(next, t.next[partition])
	if err := t.Feed(partition, t.topicID, batch, next, gs.p.stamp(), restoring); err != nil {
		return fmt.Errorf("millrace: global table %q: %w", t.g.Store.Name, err)
	}
	t.next[partition] = next
	t.count += int64(len(batch))
	if gs.flushAt.IsZero() {
		gs.flushAt = time.Now().Add(globalFlush)
	}
	return nil
}

// failed says what a failed fetch means. A position that is said to be out of range may be real or a broker that did not
// know yet: the ends of the log decide. If records are lost the app ends, and its next start rebuilds the table.
func (gs *globals) failed(t *globalTable, partition int32, cause error) error {
	p, tp := gs.p, task.TP{Topic: t.g.Topic, Partition: partition}
	var loss *kgo.ErrDataLoss
	if !errors.As(cause, &loss) && !errors.Is(cause, kerr.OffsetOutOfRange) {
		return p.topicError(tp, cause)
	}
	next := t.next[partition]
	starts, err := p.listStarts(p.ctx, []task.TP{tp})
	if err == nil {
		var ends map[task.TP]int64
		if ends, err = p.listEnds(p.ctx, []task.TP{tp}, false); err == nil && (next < starts[tp] || next > ends[tp]) {
			return &TopicError{tp.Topic, t.g.Node.At, fmt.Sprintf("partition %d is kept from offset %d to %d, the next to read is %d", partition, starts[tp], ends[tp], next),
				"start the app again: it rebuilds the global table; have the topic compacted and not deleted", cause}
		}
	}
	gs.cl.RemoveConsumePartitions(map[string][]int32{tp.Topic: {partition}})
	gs.cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{tp.Topic: {partition: kgo.NewOffset().At(next)}})
	return nil
}
