package kafkatest

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long Records waits for one more record before it fails the test.
const patience = time.Minute

// CreateTopics creates topics, with as many replicas as the cluster gives by default.
func (c *Cluster) CreateTopics(partitions int32, topics ...string) {
	c.t.Helper()
	created, err := c.Admin().CreateTopics(c.t.Context(), partitions, -1, nil, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		c.t.Fatalf("kafkatest: cannot create topics: %v", err)
	}
}

// Produce writes records to a topic and returns when they are there.
func (c *Cluster) Produce(topic string, records ...*kgo.Record) {
	c.t.Helper()
	for _, r := range records {
		r.Topic = topic
	}
	if err := c.inside().ProduceSync(c.t.Context(), records...).FirstErr(); err != nil {
		c.t.Fatalf("kafkatest: cannot write to %s: %v", topic, err)
	}
}

// Records returns the committed records of a topic from its beginning, as they come. It does not end: leave the loop
// when you have seen what you waited for. If a minute passes without a record, the test fails.
func (c *Cluster) Records(topic string) iter.Seq[*kgo.Record] {
	return func(yield func(*kgo.Record) bool) {
		c.t.Helper()
		client, err := kgo.NewClient(append(c.inner(), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))...)
		if err != nil {
			c.t.Fatalf("kafkatest: cannot read %s: %v", topic, err)
		}
		defer client.Close()
		for {
			ctx, cancel := context.WithTimeout(c.t.Context(), patience)
			fetches := client.PollFetches(ctx)
			cancel()
			if err := fetches.Err(); errors.Is(err, context.DeadlineExceeded) {
				c.t.Fatalf("kafkatest: no more records in %s for %v", topic, patience)
			} else if err != nil {
				c.t.Fatalf("kafkatest: cannot read %s: %v", topic, err)
			}
			for r := range fetches.RecordsAll() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Run runs an app, as millrace's App.Run, until the test ends. If it ends with an error the test fails.
func (c *Cluster) Run(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(c.t.Context())) // the clean-up below is before the cluster's
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	c.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			c.t.Errorf("the app ended: %v", err)
		}
	})
}
