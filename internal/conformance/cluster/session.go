package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Properties returns the settings a broker needs beside those of any broker for tests: nothing is deleted or compacted while a
// case runs, whose records are older than any retention.
func Properties() map[string]string {
	const never = "86400000"
	return map[string]string{
		"log.retention.check.interval.ms":   never,
		"log.initial.task.delay.ms":         never,
		"log.cleaner.backoff.ms":            never,
		"log.cleaner.enable":                "true",
		"log.segment.delete.delay.ms":       "1000", // files of deleted topics stay open until then, and there are many
		"log.cleaner.min.compaction.lag.ms": "9000000000000",
		"group.initial.rebalance.delay.ms":  "0",
		"auto.create.topics.enable":         "false",
	}
}

// A session is the connections of one run of a case. Another run may make the same topics anew, and a client would take them
// for the old ones.
type session struct {
	brokers []string
	client  *kgo.Client
	adm     *kadm.Client
}

// dial connects to brokers. close ends it.
func dial(brokers []string) (*session, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.MetadataMinAge(10*time.Millisecond), // a topic that was made a moment ago is asked for again
		kgo.UnknownTopicRetries(50),
	)
	if err != nil {
		return nil, fmt.Errorf("cluster: connect to %v: %w", brokers, err)
	}
	return &session{brokers, client, kadm.NewClient(client)}, nil
}

func (s *session) close() { s.client.Close() }

// topics returns the topics of an app with their numbers of partitions.
func (s *session) topics(ctx context.Context, app string) (map[string]int32, error) {
	found, err := s.adm.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("cluster: list topics: %w", err)
	}
	topics := map[string]int32{}
	for name, d := range found {
		if strings.HasPrefix(name, app+"-") && d.Err == nil {
			topics[name] = int32(len(d.Partitions))
		}
	}
	return topics, nil
}

// clean removes what an earlier run of the app has left.
func (s *session) clean(ctx context.Context, app string) error {
	return until(ctx, func() (bool, error) {
		topics, err := s.topics(ctx, app)
		if err != nil {
			return false, err
		}
		var names []string
		for name := range topics {
			names = append(names, name)
		}
		if len(names) > 0 {
			if _, err := s.adm.DeleteTopics(ctx, names...); err != nil {
				return false, fmt.Errorf("cluster: delete the topics of %s: %w", app, err)
			}
			return false, nil
		}
		resp, err := s.adm.DeleteGroup(ctx, app)
		if err == nil {
			err = resp.Err
		}
		switch {
		case err == nil, errors.Is(err, kerr.GroupIDNotFound):
			return true, nil
		case errors.Is(err, kerr.NonEmptyGroup), kerr.IsRetriable(err): // its last member is being removed; the broker has just begun
			return false, nil
		}
		return false, fmt.Errorf("cluster: delete group %s: %w", app, err)
	})
}

// create makes topics and returns when every partition has a leader.
func (s *session) create(ctx context.Context, topics map[string]Internal) error {
	for name, t := range topics {
		configs := map[string]*string{}
		for k, v := range t.Config {
			configs[k] = kadm.StringPtr(v)
		}
		if _, err := s.adm.CreateTopic(ctx, t.Partitions, 1, configs, name); err != nil {
			return fmt.Errorf("cluster: create %s: %w", name, err)
		}
	}
	return until(ctx, func() (bool, error) {
		for name, t := range topics {
			found, err := s.adm.ListTopics(ctx, name)
			if err != nil {
				return false, fmt.Errorf("cluster: list %s: %w", name, err)
			}
			d := found[name]
			led := len(d.Partitions) == int(t.Partitions)
			for _, p := range d.Partitions {
				led = led && p.Err == nil && p.Leader >= 0
			}
			if d.Err != nil || !led {
				return false, nil
			}
		}
		return true, nil
	})
}

// user returns the topics that are there before the app.
func (c *Case) user() map[string]Internal {
	topics := map[string]Internal{}
	for name, n := range c.Partitions {
		topics[name] = Internal{n, nil}
	}
	return topics
}

// internal returns what an app has made.
func (s *session) internal(ctx context.Context, c *Case) (map[string]Internal, error) {
	topics, err := s.topics(ctx, c.App)
	if err != nil {
		return nil, err
	}
	made := map[string]Internal{}
	for name, n := range topics {
		if _, user := c.Partitions[name]; user {
			continue
		}
		resp, err := s.adm.DescribeTopicConfigs(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("cluster: describe %s: %w", name, err)
		}
		t := Internal{n, map[string]string{}}
		for _, rc := range resp {
			if rc.Err != nil {
				return nil, fmt.Errorf("cluster: describe %s: %w", name, rc.Err)
			}
			for _, cfg := range rc.Configs {
				if cfg.Source.String() == "DYNAMIC_TOPIC_CONFIG" {
					t.Config[cfg.Key] = cfg.MaybeValue()
				}
			}
		}
		made[name] = t
	}
	return made, nil
}

// send produces records in order, without a transaction.
func (s *session) send(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("cluster: produce: %w", err)
	}
	return nil
}

// record makes what is fed to a client.
func (in Input) record() *kgo.Record {
	rec := &kgo.Record{Topic: in.Topic, Partition: in.Partition, Timestamp: time.UnixMilli(in.Time)}
	if in.Key != nil {
		rec.Key = []byte(*in.Key)
	}
	if in.Value != nil {
		rec.Value = []byte(*in.Value)
	}
	for _, h := range in.Headers {
		header := kgo.RecordHeader{Key: *h[0]}
		if h[1] != nil {
			header.Value = []byte(*h[1])
		}
		rec.Headers = append(rec.Headers, header)
	}
	return rec
}

// load puts what the recorded app has left after phase 1 on the broker: topics, their records, and committed offsets. Without
// control records, an offset is the number of records before it.
func (s *session) load(ctx context.Context, c *Case) error {
	if err := s.create(ctx, c.Internal); err != nil {
		return err
	}
	left := c.Phases[0].Result
	var all []*kgo.Record
	for topic, t := range left.Topics {
		for i, p := range t.Partitions {
			for _, rec := range p.Records {
				out := &kgo.Record{Topic: topic, Partition: int32(i), Timestamp: time.UnixMilli(rec.Time)}
				if rec.Key != nil {
					out.Key = slices.Concat([]byte{}, *rec.Key)
				}
				if rec.Value != nil {
					out.Value = slices.Concat([]byte{}, *rec.Value)
				}
				for _, h := range rec.Headers {
					header := kgo.RecordHeader{Key: h.Key}
					if h.Value != nil {
						header.Value = *h.Value
					}
					out.Headers = append(out.Headers, header)
				}
				all = append(all, out)
			}
		}
	}
	if err := s.send(ctx, all); err != nil {
		return err
	}
	offsets := kadm.Offsets{}
	for topic, parts := range left.Offsets {
		for i, o := range parts {
			if o != nil {
				offsets.Add(kadm.Offset{Topic: topic, Partition: int32(i), At: o.Index, LeaderEpoch: -1, Metadata: o.Metadata})
			}
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	if err := s.adm.CommitAllOffsets(ctx, c.App, offsets); err != nil {
		return fmt.Errorf("cluster: commit the offsets of %s: %w", c.App, err)
	}
	return nil
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, ask func() (bool, error)) error {
	for {
		ok, err := ask()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
