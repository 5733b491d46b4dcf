package kafkatest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/kafkatest/internal/link"
)

// faultTimeout is for a broker that stops or starts on a busy machine.
const faultTimeout = 2 * time.Minute

// Kill ends a broker at once, as kill -9 does. Its port refuses connections until Start. On a single node a transaction
// that is being ended may be left hanging in its partitions by Kafka itself: tests of exactly-once kill brokers only
// where there are three.
func (c *Cluster) Kill(node int32) {
	c.t.Helper()
	c.process(node, "Kill", func(ctx context.Context, p process) error { return p.kill(ctx) }, true)
}

// Stop shuts a broker down in good order, as SIGTERM does. Its port refuses connections until Start.
func (c *Cluster) Stop(node int32) {
	c.t.Helper()
	c.process(node, "Stop", func(ctx context.Context, p process) error { return p.stop(ctx) }, true)
}

// Start starts a broker that was killed or stopped, on its data and address, and returns when it answers.
func (c *Cluster) Start(node int32) {
	c.t.Helper()
	c.process(node, "Start", func(ctx context.Context, p process) error { return p.start(ctx) }, false)
}

// Restart stops a broker and starts it again.
func (c *Cluster) Restart(node int32) {
	c.t.Helper()
	c.Stop(node)
	c.Start(node)
}

// Pause stops a broker's process as SIGSTOP does: its connections stay, new ones are accepted, and nothing answers.
func (c *Cluster) Pause(node int32) {
	c.t.Helper()
	c.process(node, "Pause", func(ctx context.Context, p process) error { return p.pause(ctx) }, false)
}

// Unpause lets a paused broker go on.
func (c *Cluster) Unpause(node int32) {
	c.t.Helper()
	c.process(node, "Unpause", func(ctx context.Context, p process) error { return p.unpause(ctx) }, false)
}

// Isolate cuts a broker off from clients and from the other brokers, as a pulled cable does. Only containers can:
// brokers in processes share the loopback.
func (c *Cluster) Isolate(node int32) {
	c.t.Helper()
	c.process(node, "Isolate", func(ctx context.Context, p process) error { return p.isolate(ctx) }, false)
	c.network(node, "Isolate", func(f *link.Faults) { f.Cut = true })
}

// Rejoin plugs an isolated broker in again.
func (c *Cluster) Rejoin(node int32) {
	c.t.Helper()
	c.process(node, "Rejoin", func(ctx context.Context, p process) error { return p.rejoin(ctx) }, false)
	c.network(node, "Rejoin", func(f *link.Faults) { f.Cut = false })
}

// Cut lets nothing pass between clients and a broker, and tells nobody: connections stay open, new ones are accepted and
// silent. Brokers still see each other. Heal ends it, and what was sent meanwhile arrives.
func (c *Cluster) Cut(node int32) {
	c.t.Helper()
	c.network(node, "Cut", func(f *link.Faults) { f.Cut = true })
}

// Slow delays everything between clients and a broker, each way; 0 delays nothing.
func (c *Cluster) Slow(node int32, delay time.Duration) {
	c.t.Helper()
	c.network(node, "Slow", func(f *link.Faults) { f.Delay = delay })
}

// Answers names answers that are lost. The zero value is all of them until Heal.
type Answers struct {
	To    []kmsg.Key // requests whose answers are lost; empty: all. Not with TLS, where nobody can look inside
	Times int        // how many; 0: all until Heal
	Hang  bool       // the connection falls silent from the lost answer on, so that the client waits until it gives up; otherwise it is closed
}

// LoseAnswers lets requests reach a broker, and take effect, and loses the answers.
func (c *Cluster) LoseAnswers(node int32, a Answers) {
	c.t.Helper()
	if len(a.To) > 0 && c.asked.tls {
		c.t.Fatal("kafkatest: LoseAnswers by request needs a cluster without TLS: start one, or lose all answers")
	}
	lost := &link.Lost{Times: a.Times, Hang: a.Hang}
	for _, k := range a.To {
		lost.Keys = append(lost.Keys, k.Int16())
	}
	c.network(node, "LoseAnswers", func(f *link.Faults) { f.Lost = lost })
}

// LostAnswers returns how many answers of a broker were lost since its network was last changed.
func (c *Cluster) LostAnswers(node int32) int {
	c.t.Helper()
	c.needLinks("LostAnswers")
	return c.links[c.index(node)].LostSince()
}

// Heal ends all faults of the network between clients and a broker: Cut, Slow, LoseAnswers.
func (c *Cluster) Heal(node int32) {
	c.t.Helper()
	c.network(node, "Heal", func(f *link.Faults) { *f = link.Faults{Refuse: f.Refuse} })
}

// network changes a broker's link.
func (c *Cluster) network(node int32, verb string, change func(*link.Faults)) {
	c.t.Helper()
	c.needLinks(verb)
	if err := c.links[c.index(node)].Change(change); err != nil {
		c.t.Fatalf("kafkatest: %s of broker %d: %v", verb, node, err)
	}
}

func (c *Cluster) needLinks(verb string) {
	c.t.Helper()
	if len(c.links) == 0 {
		c.t.Fatalf("kafkatest: %s needs brokers of this test, and these are those of KAFKA_BROKERS: unset it, or start the cluster with Faults()", verb)
	}
}

// process does something to a broker's process, and has its link follow.
func (c *Cluster) process(node int32, verb string, do func(context.Context, process) error, down bool) {
	c.t.Helper()
	if c.procs == nil {
		c.t.Fatalf("kafkatest: %s needs a broker with a process of its own, and this cluster is had by %v: start it with Faults(), and %s, or %s",
			verb, c.way, Jars.remedy(), Containers.remedy())
	}
	i := c.index(node)
	c.locks[i].Lock()
	defer c.locks[i].Unlock()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	if err := do(ctx, c.procs[i]); err != nil {
		c.t.Fatalf("kafkatest: %s of broker %d: %v", verb, node, err)
	}
	l := c.links[i]
	l.Target(c.procs[i].addr())
	if down != l.Faults().Refuse {
		c.network(node, verb, func(f *link.Faults) { f.Refuse = down })
	}
}
