package secured

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// countTopology counts the records of an app's input by their value, over a repartition topic and a changelog, and sends every
// count on.
func countTopology(app string) (*topology.Topology, error) {
	b := topology.NewBuilder()
	kstream.From(b, topology.NewTopic(app+".in", serde.String, serde.String)).
		GroupBy("by-word", func(_, word string) string { return word }).
		Count("counts", store.NoCache()).
		To(topology.NewTopic(app+".out", serde.String, serde.Int64))
	return b.Build()
}

// appConfig is how an app is run here: small, and with little patience.
func appConfig(t *testing.T, c *kafkatest.Cluster, app string) millrace.Config {
	logger, _ := quietly(t)
	return millrace.Config{
		ApplicationID: app, Brokers: c.Brokers(), Client: c.Client(), StateDir: t.TempDir(), Workers: 1, Memory: 32 << 20,
		Logger: logger,
	}
}

// run runs an app until stop, which returns how it ended.
func run(t *testing.T, conf millrace.Config) (app *millrace.App, stop func() error) {
	t.Helper()
	top, err := countTopology(conf.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	if app, err = millrace.New(top, conf); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() }) // who cares has asked before
	return app, stop
}

// write gives each of n words so many records of the app's input, with keys that spread them over its partitions.
func write(c *kafkatest.Cluster, app string, n, each int) {
	var list []*kgo.Record
	for i := range n * each {
		list = append(list, kgo.KeyStringRecord(fmt.Sprint("key-", i), fmt.Sprint("word-", i%n)))
	}
	c.Produce(app+".in", list...)
}

// counted reads the app's output until each of n words has counted up to a number, and fails on any gap or repeat on the way.
func counted(t *testing.T, c *kafkatest.Cluster, app string, n, each int) {
	t.Helper()
	last, done := map[string]int64{}, 0
	for r := range c.Records(app + ".out") {
		word, count := string(r.Key), int64(binary.BigEndian.Uint64(r.Value))
		if count != last[word]+1 {
			t.Fatalf("%s went from %d to %d (partition %d, offset %d)", word, last[word], count, r.Partition, r.Offset)
		}
		if last[word] = count; count == int64(each) {
			if done++; done == n {
				return
			}
		}
	}
}

// await waits for what a channel brings.
func await[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	select {
	case v := <-ch:
		return v
	case <-late.C:
		t.Fatalf("no %s within a minute", what)
		panic("not reached")
	}
}
