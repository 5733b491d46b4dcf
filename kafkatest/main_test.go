package kafkatest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(orphanEnv) != "" {
		beOrphan()
	}
	goleak.VerifyTestMain(m)
}

// each runs a test in every way of a list that this machine has.
func each(t *testing.T, ways []Way, test func(t *testing.T, way Option)) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.String(), func(t *testing.T) { test(t, both(By(w), OrSkip())) })
	}
}

func both(a, b Option) Option { return func(to *asked) { a(to); b(to) } }

var (
	real = []Way{Jars, Containers}
	own  = []Way{Fake, Jars, Containers}
)

// connect makes a client that knows of the cluster what any program would be told.
func connect(t *testing.T, c *Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	return dialled(t, append(c.Options(), opts...)...)
}

func dialled(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(append([]kgo.Opt{kgo.RequestRetries(3), kgo.RecordDeliveryTimeout(30 * time.Second)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// commit writes one record in a transaction of a producer of its own.
func commit(t *testing.T, c *Cluster, topic, value string, opts ...kgo.Opt) error {
	t.Helper()
	k := connect(t, c, append(opts, kgo.TransactionalID(t.Name()+value), kgo.DefaultProduceTopic(topic))...)
	if err := k.BeginTransaction(); err != nil {
		return err
	}
	if err := k.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		return errors.Join(err, k.EndTransaction(t.Context(), kgo.TryAbort))
	}
	return k.EndTransaction(t.Context(), kgo.TryCommit)
}

func mustCommit(t *testing.T, c *Cluster, topic, value string) {
	t.Helper()
	if err := commit(t, c, topic, value); err != nil {
		t.Fatalf("cannot commit %q: %v", value, err)
	}
}

// wantRecords reads a topic of one partition from its beginning.
func wantRecords(t *testing.T, c *Cluster, topic string, want ...string) {
	t.Helper()
	i := 0
	for r := range c.Records(topic) {
		if string(r.Value) != want[i] {
			t.Fatalf("record %d of %s is %q; want %q", i, topic, r.Value, want[i])
		}
		if i++; i == len(want) {
			return
		}
	}
}

// answers asks a cluster whether it is there, for some time.
func answers(t *testing.T, k *kgo.Client, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return k.Ping(ctx)
}
