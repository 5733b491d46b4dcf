package integration

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/testkafka"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// deployV1 counts the topic old.
func deployV1() (*topology.Topology, error) {
	b := topology.NewBuilder()
	deployCount(b, "old")
	return b.Build()
}

// deployV2 counts the topics old and new, the latter in a store that version 1 does not have.
func deployV2() (*topology.Topology, error) {
	b := topology.NewBuilder()
	deployCount(b, "new") // first, so that the numbers of the subtopologies move
	deployCount(b, "old")
	return b.Build()
}

func deployCount(b *topology.Builder, what string) {
	app := os.Getenv("MILLRACE_APP")
	kstream.From(b, topology.NewTopic(app+"-"+what, serde.String, serde.String)).
		GroupByKey().
		Count(what+"-counts", store.NoCache()).
		To(topology.NewTopic(app+"-"+what+"-out", serde.String, serde.Int64))
}

// TestRollingDeployReadsTheNewTopicAndLosesNothing replaces two processes one after the other by a version of the topology that has a
// source topic and a store more. Meanwhile both versions share the group.
func TestRollingDeployReadsTheNewTopicAndLosesNothing(t *testing.T) {
	brokers := testkafka.Real(t)
	app := testkafka.Name(t)
	cl := client(t, brokers)
	createTopics(t, cl, 4, app+"-old", app+"-old-out", app+"-new", app+"-new-out")
	dir := t.TempDir()
	oldFeed := feed(t, cl, app+"-old", 200, 1000)
	newFeed := feed(t, cl, app+"-new", 200, 1000)

	a := start(t, "deploy-v1", app, filepath.Join(dir, "a"), brokers)
	b := start(t, "deploy-v1", app, filepath.Join(dir, "b"), brokers)
	await(t, a, "state running")
	await(t, b, "state running")

	a.end()
	a = start(t, "deploy-v2", app, filepath.Join(dir, "a"), brokers)
	await(t, a, "state running")
	b.end()
	b = start(t, "deploy-v2", app, filepath.Join(dir, "b"), brokers)
	await(t, b, "state running")

	sequences(t, brokers, app+"-old-out", oldFeed.end())
	sequences(t, brokers, app+"-new-out", newFeed.end())
	a.end()
	b.end()
}

// await waits until a child has said a line.
func await(t *testing.T, c *child, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(c.said(line)) == 0 {
		select {
		case <-tick.C:
		case <-c.done:
			t.Fatalf("the child ended before it said %q: %v", line, c.said("error"))
		case <-ctx.Done():
			t.Fatalf("the child did not say %q within a minute", line)
		}
	}
}
