package integration

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kafkatest"
)

// A reader is a stock consumer that sees committed records only. It keeps all it has read, and how long it had to wait for more.
type reader struct {
	cl *kgo.Client

	mu   sync.Mutex
	got  map[string]results // by topic
	n    map[string]int     // records, by topic
	next map[part]int64     // the offset behind the last record, or marker of a transaction, of each partition
	last map[part]time.Time // when it had the last record
	gap  map[part]time.Duration

	since time.Time // of mark
	any   time.Time // when it had any record last
	long  time.Duration
}

type part struct {
	topic string
	id    int32
}

// newReader starts to read topics from their beginning, until the test ends.
func newReader(t *testing.T, c *kafkatest.Cluster, topics []string) *reader {
	t.Helper()
	r := &reader{got: map[string]results{}, n: map[string]int{}, next: map[part]int64{}}
	for _, topic := range topics {
		r.got[topic] = results{}
	}
	r.mark()
	r.cl = client(t, c, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords()) // they show how far it has read
	ctx, stop := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			fetches := r.cl.PollFetches(ctx)
			r.mu.Lock()
			for record := range fetches.RecordsAll() {
				r.take(record, time.Now())
			}
			r.mu.Unlock()
		}
	})
	t.Cleanup(func() { stop(); reading.Wait() })
	return r
}

func (r *reader) take(record *kgo.Record, now time.Time) {
	p := part{record.Topic, record.Partition}
	if record.Offset < r.next[p] {
		return // read before: a leader that is new sends clients back that ask where they are
	}
	r.next[p] = record.Offset + 1
	if record.Attrs.IsControl() {
		return
	}
	r.got[p.topic].add(string(record.Key), string(record.Value))
	r.n[p.topic]++
	last, ok := r.last[p]
	if !ok {
		last = r.since
	}
	r.last[p] = now
	r.gap[p] = max(r.gap[p], now.Sub(last))
	r.long = max(r.long, now.Sub(r.any))
	r.any = now
}

// mark begins to look for gaps anew.
func (r *reader) mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.gap = map[part]time.Time{}, map[part]time.Duration{}
	r.since, r.long = time.Now(), 0
	r.any = r.since
}

// gaps returns the longest time without any record since mark, and the longest without one of a single partition of a topic.
func (r *reader) gaps(topic string) (any, single time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, gap := range r.gap {
		if p.topic == topic {
			single = max(single, gap)
		}
	}
	return r.long, single
}

// counts returns how many records of each topic it has read.
func (r *reader) counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.n)
}

// results returns what it has read of a topic: good until it reads more, so use is called with that held back.
func (r *reader) results(topic string, use func(results)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	use(r.got[topic])
}

// has reports whether it has read a partition to an offset.
func (r *reader) has(p part, offset int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next[p] >= offset
}
