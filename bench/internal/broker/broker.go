package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// answerTimeout bounds the wait for a broker that does not answer at all.
const answerTimeout = 15 * time.Second

// A Broker is one broker, or several that work together.
type Broker struct {
	seeds []string
	cl    *kgo.Client
	adm   *kadm.Client
}

// Dial connects, and fails when nobody answers at any of the addresses (host:port) for 15 s.
func Dial(ctx context.Context, seeds []string) (*Broker, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		cl.Close()
		return nil, fmt.Errorf("no broker answers at %s: %w: start one, or use make bench", strings.Join(seeds, ","), err)
	}
	return &Broker{seeds: seeds, cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close closes the connections.
func (b *Broker) Close() { b.cl.Close() }

// Version guesses the version of the first broker by the requests it knows.
func (b *Broker) Version(ctx context.Context) string {
	versions, err := b.adm.ApiVersions(ctx)
	if err != nil || len(versions) == 0 {
		return "of unknown version"
	}
	return versions.Sorted()[0].VersionGuess()
}

// Create makes topics that keep everything: the times of their records are not those of the run, so nothing may expire.
func (b *Broker) Create(ctx context.Context, topics ...string) error {
	forever := map[string]*string{"retention.ms": kadm.StringPtr("-1"), "retention.bytes": kadm.StringPtr("-1")}
	created, err := b.adm.CreateTopics(ctx, workload.Partitions, 1, forever, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		return fmt.Errorf("create %v: %w", topics, err)
	}
	return nil
}

// Remove deletes every topic whose name is prefix or begins with it and a hyphen, and the group prefix. What is not there
// is no error.
func (b *Broker) Remove(ctx context.Context, prefix string) error {
	all, err := b.topics(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, topic := range all {
		if topic != prefix && !strings.HasPrefix(topic, prefix+"-") {
			continue
		}
		if _, err := b.adm.DeleteTopic(ctx, topic); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			errs = append(errs, fmt.Errorf("delete %s: %w", topic, err))
		}
	}
	// A group refuses while a member is left in it, after a kill: it goes when its offsets expire.
	_, err = b.adm.DeleteGroup(ctx, prefix)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) && !errors.Is(err, kerr.NonEmptyGroup) {
		errs = append(errs, fmt.Errorf("delete group %s: %w", prefix, err))
	}
	return errors.Join(errs...)
}

// topics lists all topics by asking the broker: kadm answers from a cache, which does not know what engines just created.
func (b *Broker) topics(ctx context.Context) ([]string, error) {
	req := kmsg.NewPtrMetadataRequest()
	resp, err := req.RequestWith(ctx, b.cl)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var names []string
	for _, t := range resp.Topics {
		if t.Topic != nil && !t.IsInternal {
			names = append(names, *t.Topic)
		}
	}
	return names, nil
}
