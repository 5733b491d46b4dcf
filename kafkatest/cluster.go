package kafkatest

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kafkatest/internal/link"
)

// A Cluster is one Kafka, for one test and its subtests. Its methods end the test where they cannot do what they say.
// They may be called from several goroutines, but only from that of the test may they end it.
type Cluster struct {
	t testing.TB
	*cluster
}

// cluster is what all views of a Cluster share.
type cluster struct {
	way     Way
	asked   asked
	version string
	nodes   []int32
	links   []*link.Link
	procs   []process
	brokers []string
	ca      *authority
	super   *User
	dial    func(ctx context.Context, addr string) (string, error)

	locks []sync.Mutex // of each broker's process

	mu     sync.Mutex
	around *kgo.Client // goes around the links; made when first asked for
}

func newCluster(t testing.TB, w Way, p *plan, s *started) *Cluster {
	c := &Cluster{t, &cluster{
		way: w, asked: p.asked, version: s.version, nodes: s.nodes, links: p.links, procs: s.procs,
		brokers: s.brokers, ca: p.ca, super: s.super, dial: s.admin, locks: make([]sync.Mutex, len(s.procs)),
	}}
	for _, l := range p.links {
		c.brokers = append(c.brokers, l.Addr())
	}
	t.Cleanup(func() {
		if t.Failed() {
			c.tellLogs(t)
		}
		if c.around != nil {
			c.around.Close()
		}
		for _, l := range c.links {
			l.Close()
		}
		if err := s.close(t.Failed()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// In returns the same cluster for a subtest, which is the one to fail then.
func (c *Cluster) In(t testing.TB) *Cluster { return &Cluster{t, c.cluster} }

// Brokers returns the addresses of all brokers, host:port. They stay the same while brokers go and come back.
func (c *Cluster) Brokers() []string { return slices.Clone(c.brokers) }

// Name returns a name for a topic, a group or an app that nobody else uses: the one given, which brokers of KAFKA_BROKERS,
// where others are too, have with random letters.
func (c *Cluster) Name(name string) string {
	if c.way == Named {
		return name + "-" + strings.ToLower(rand.Text()[:8])
	}
	return name
}

// Nodes returns the ids of the brokers, in the order of Brokers. It is empty for KAFKA_BROKERS.
func (c *Cluster) Nodes() []int32 { return slices.Clone(c.nodes) }

// Way returns how the cluster was had.
func (c *Cluster) Way() Way { return c.way }

// Version returns the version of Kafka, as 4.3.1; of kfake "fake", and empty for KAFKA_BROKERS.
func (c *Cluster) Version() string { return c.version }

// Client returns what a client needs beside the addresses, as one who may do everything: TLS and SASL. It is what
// millrace.Config.Client and kgo.NewClient take, and empty for a cluster without either.
func (c *Cluster) Client() []kgo.Opt {
	if c.super == nil {
		return nil
	}
	return c.super.Client()
}

// Options returns the addresses and Client: all that kgo.NewClient needs.
func (c *Cluster) Options() []kgo.Opt {
	return append(c.Client(), kgo.SeedBrokers(c.brokers...))
}

// Around returns all that kgo.NewClient needs for a client that may do everything and whose connections no fault of the
// network touches, as those of Admin: for a load that goes on while an app is cut off, and for who reads its results.
func (c *Cluster) Around() []kgo.Opt { return c.inner() }

// Admin returns a client that may do everything and whose connections no fault of the network touches. It is closed
// with the test.
func (c *Cluster) Admin() *kadm.Client {
	c.t.Helper()
	return kadm.NewClient(c.inside())
}

// inside returns the client behind Admin.
func (c *Cluster) inside() *kgo.Client {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.around == nil {
		client, err := kgo.NewClient(c.inner()...)
		if err != nil {
			c.t.Fatalf("kafkatest: no administrator: %v", err)
		}
		c.around = client
	}
	return c.around
}

// inner returns the options of a client that goes around the links.
func (c *cluster) inner() []kgo.Opt {
	if c.dial == nil {
		opts := []kgo.Opt{kgo.SeedBrokers(c.brokers...)}
		if c.super != nil {
			opts = append(opts, c.super.Client()...)
		}
		return opts
	}
	seeds := c.brokers
	if c.procs != nil {
		seeds = nil
		for _, p := range c.procs {
			seeds = append(seeds, p.inner())
		}
	}
	opts := []kgo.Opt{kgo.SeedBrokers(seeds...)}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		real, err := c.dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		var d net.Dialer
		return d.DialContext(ctx, network, real)
	}
	if c.procs == nil && c.super != nil { // kfake has one listener for everybody
		return append(opts, c.super.through(dial)...)
	}
	return append(opts, kgo.Dialer(dial))
}

// Leader returns the id of the broker that leads a partition, as soon as there is one.
func (c *Cluster) Leader(topic string, partition int32) int32 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	for {
		topics, err := c.Admin().ListTopics(ctx, topic)
		p, ok := topics[topic].Partitions[partition]
		if err == nil && ok && p.Err == nil && p.Leader >= 0 {
			return p.Leader
		}
		if ctx.Err() != nil {
			c.t.Fatalf("kafkatest: nobody leads %s-%d: %v", topic, partition, errors.Join(err, p.Err))
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// GroupCoordinator returns the id of the broker that coordinates a group.
func (c *Cluster) GroupCoordinator(group string) int32 {
	c.t.Helper()
	return c.coordinator(group, c.Admin().FindGroupCoordinators)
}

// TxnCoordinator returns the id of the broker that coordinates a transactional id.
func (c *Cluster) TxnCoordinator(id string) int32 {
	c.t.Helper()
	return c.coordinator(id, c.Admin().FindTxnCoordinators)
}

// coordinator asks until there is one: the first question has Kafka make the topic where coordinators keep their state.
func (c *Cluster) coordinator(name string, find func(context.Context, ...string) kadm.FindCoordinatorResponses) int32 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	for {
		r, ok := find(ctx, name)[name]
		if ok && r.Err == nil {
			return r.NodeID
		}
		if ctx.Err() != nil {
			c.t.Fatalf("kafkatest: nobody coordinates %s: %v", name, r.Err)
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// Log returns what a broker printed so far, over all its starts; nothing where it has no process of ours.
func (c *Cluster) Log(node int32) string {
	if c.procs == nil {
		return ""
	}
	return c.procs[c.index(node)].log()
}

// tellLogs has a failing test print how each broker's log ends.
func (c *Cluster) tellLogs(t testing.TB) {
	for i, p := range c.procs {
		lines := strings.Split(strings.TrimRight(p.log(), "\n"), "\n")
		t.Logf("the log of broker %d ends:\n%s", c.nodes[i], strings.Join(lines[max(0, len(lines)-25):], "\n"))
	}
}

// index finds a broker.
func (c *Cluster) index(node int32) int {
	c.t.Helper()
	i := slices.Index(c.nodes, node)
	if i < 0 {
		c.t.Fatalf("kafkatest: there is no broker %d: they are %v (by %v)", node, c.nodes, c.way)
	}
	return i
}
