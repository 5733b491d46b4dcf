package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
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

// rollingDeploy replaces two processes one after the other by a version of the topology that has a source topic and a store more.
// Meanwhile both versions share the group. The new topic is read, and nothing is lost.
func rollingDeploy(t *testing.T, c *kafkatest.Cluster) {
	app := c.Name("deploy")
	c.CreateTopics(4, app+"-old", app+"-old-out", app+"-new", app+"-new-out")
	dir, cl := t.TempDir(), client(t, c)
	oldFeed := feed(t, cl, app+"-old", 200, 1000)
	newFeed := feed(t, cl, app+"-new", 200, 1000)
	run := func(version, process string) *child.Child {
		return start(t, "deploy-"+version, app, filepath.Join(dir, process), c.Brokers())
	}
	a, b := run("v1", "a"), run("v1", "b")
	running(t, a)
	running(t, b)

	a.End(t)
	a = run("v2", "a")
	running(t, a)
	b.End(t)
	b = run("v2", "b")
	running(t, b)

	sequences(t, c, app+"-old-out", oldFeed.end())
	sequences(t, c, app+"-new-out", newFeed.end())
	a.End(t)
	b.End(t)
}
