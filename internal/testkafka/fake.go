package testkafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Fake starts kfake in this process, by default three brokers that keep everything in memory; opts are kfake's own
// (NumBrokers, DataDir, SeedTopics, …) and win over what is set here. It ends with the test.
func Fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.BrokerConfigs(fakeConfig)}, opts...)...)
	if err != nil {
		t.Fatalf("testkafka: kfake: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

var fakeConfig = map[string]string{
	// kfake compacts past open transactions, and so loses the committed value of a key when they abort; Kafka never
	// does. A week of virtual time is out of any test's reach: compact with Cluster.Compact while nothing is open.
	"log.cleaner.backoff.ms": "604800000",
}
