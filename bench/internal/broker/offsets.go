package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	settleEvery   = 100 * time.Millisecond // between two looks at what should not move any more
	settleTimeout = 15 * time.Second       // for the markers of an ended transaction: they take milliseconds
)

// Committed returns how many records of a topic a group has committed: the sum of its offsets, since inputs hold no
// transaction markers. A group that does not exist has committed none.
func (b *Broker) Committed(ctx context.Context, group, topic string) (int64, error) {
	offsets, err := b.adm.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, o := range offsets[topic] {
		if o.Err != nil {
			return 0, o.Err
		}
		sum += max(o.At, 0)
	}
	return sum, nil
}

// Settled returns Committed once it does not move any more: the markers of a transaction follow its end by some
// milliseconds, also when the process that ended it was killed.
func (b *Broker) Settled(ctx context.Context, group, topic string) (int64, error) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		now, err := b.Committed(ctx, group, topic)
		if err != nil {
			return 0, err
		}
		if now == last {
			return now, nil
		}
		last = now
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// Through reports whether a group has read all there is, in its inputs and in every other topic that it commits offsets of.
// A marker may follow the last record of a topic that transactions write to.
func (b *Broker) Through(ctx context.Context, group string, inputs ...string) (bool, error) {
	offsets, err := b.adm.FetchOffsets(ctx, group)
	if err != nil {
		return false, err
	}
	for _, topic := range inputs {
		if _, ok := offsets[topic]; !ok {
			return false, nil
		}
	}
	for topic, at := range offsets {
		ends, open, err := b.endsNow(ctx, topic)
		if err != nil || open >= 0 {
			return false, err
		}
		for p, end := range ends {
			if end > 1 && at[p].At < end-1 || end == 1 && at[p].At < 0 {
				return false, nil
			}
		}
	}
	return true, nil
}

// Logged returns how many records the changelogs of an application hold, with the markers between them.
func (b *Broker) Logged(ctx context.Context, app string) (int64, error) {
	all, err := b.topics(ctx)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, topic := range all {
		if !strings.HasPrefix(topic, app+"-") || !strings.HasSuffix(topic, "-changelog") {
			continue
		}
		starts, err := listed(b.adm.ListStartOffsets(ctx, topic))
		if err != nil {
			return 0, fmt.Errorf("starts of %s: %w", topic, err)
		}
		ends, err := listed(b.adm.ListEndOffsets(ctx, topic))
		if err != nil {
			return 0, fmt.Errorf("ends of %s: %w", topic, err)
		}
		ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
		starts.Each(func(o kadm.ListedOffset) { sum -= o.Offset })
	}
	return sum, nil
}

// ends returns the ends of a topic's partitions once no transaction is open in it.
func (b *Broker) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, settleTimeout, fmt.Errorf("gave up after %v", settleTimeout))
	defer cancel()
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	hanging := int32(-1)
	for {
		ends, open, err := b.endsNow(ctx, topic)
		switch {
		case err == nil && open < 0:
			return ends, nil
		case err == nil:
			hanging = open
		case ctx.Err() == nil || hanging < 0:
			return nil, fmt.Errorf("ends of %s: %w", topic, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("a transaction stays open in %s/%d: %w", topic, hanging, context.Cause(ctx))
		}
	}
}

// endsNow returns the ends of a topic's partitions, and one in which a transaction is open, -1 if there is none.
func (b *Broker) endsNow(ctx context.Context, topic string) (ends map[int32]int64, open int32, err error) {
	high, err := listed(b.adm.ListEndOffsets(ctx, topic))
	if err != nil {
		return nil, -1, err
	}
	stable, err := listed(b.adm.ListCommittedOffsets(ctx, topic))
	if err != nil {
		return nil, -1, err
	}
	ends, open = map[int32]int64{}, -1
	high.Each(func(o kadm.ListedOffset) {
		ends[o.Partition] = o.Offset
		if s, _ := stable.Lookup(topic, o.Partition); s.Offset < o.Offset {
			open = o.Partition
		}
	})
	return ends, open, nil
}

// listed makes an error of any partition the error of all.
func listed(l kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
	if err != nil {
		return nil, err
	}
	return l, l.Error()
}
