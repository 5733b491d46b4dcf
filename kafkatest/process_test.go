package kafkatest

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const orderly = "due to signal SIGTERM" // what a broker says first that is asked to stop; later lines may be lost with its logging

// One broker a way, and everything that can be done to its process.
func TestFaultsOfAProcess(t *testing.T) {
	each(t, real, func(t *testing.T, way Option) {
		c := Start(t, way, Faults())
		node, addr := c.Nodes()[0], c.Brokers()[0]
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "first")

		refused := func(t *testing.T) {
			t.Helper()
			if conn, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial = %v, %v; want it refused", conn, err)
			}
		}

		t.Run("StoppedBrokerLeavesInGoodOrder", func(t *testing.T) {
			c := c.In(t)
			c.Stop(node)
			refused(t)
			if !strings.Contains(c.Log(node), orderly) {
				t.Errorf("the broker was not asked to stop:\n%s", lastLines(c.Log(node), 10))
			}
			c.Start(node)
			mustCommit(t, c, "t", "second")
			wantRecords(t, c, "t", "first", "second")
		})

		t.Run("PausedBrokerHangs", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c, kgo.RequestTimeoutOverhead(time.Second))
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Fatal(err)
			}
			c.Pause(node)
			if err := answers(t, k, 300*time.Millisecond); err == nil {
				t.Error("a paused broker answers")
			}
			if conn, err := net.Dial("tcp", addr); err != nil {
				t.Errorf("connecting to a paused broker: %v; want it accepted", err)
			} else {
				conn.Close()
			}
			c.Unpause(node)
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Errorf("after the pause: %v", err)
			}
		})

		t.Run("KilledBrokerSaysNothingAndComesBackWithItsData", func(t *testing.T) {
			c := c.In(t)
			said := strings.Count(c.Log(node), orderly)
			c.Kill(node)
			refused(t)
			if now := strings.Count(c.Log(node), orderly); now != said {
				t.Error("the broker had time to shut down")
			}
			c.Start(node)
			if c.Brokers()[0] != addr {
				t.Errorf("the broker moved from %s to %s", addr, c.Brokers()[0])
			}
			mustCommit(t, c, "t", "third")
			wantRecords(t, c, "t", "first", "second", "third")
		})
	})
}

// Three brokers a way: what is written survives the loss of a leader.
func TestThreeBrokersReplaceALostLeader(t *testing.T) {
	each(t, real, func(t *testing.T, way Option) {
		c := Start(t, way, Brokers(3), Faults())
		if len(c.Brokers()) != 3 || len(c.Nodes()) != 3 {
			t.Fatalf("brokers %v, nodes %v; want three", c.Brokers(), c.Nodes())
		}
		c.CreateTopics(1, "t")
		topics, err := c.Admin().ListTopics(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		if r := topics["t"].Partitions[0].Replicas; len(r) != 3 {
			t.Errorf("replicas %v; want three", r)
		}
		mustCommit(t, c, "t", "first")

		old := c.Leader("t", 0)
		c.Kill(old)
		wantLeaderOtherThan(t, c, old)
		mustCommit(t, c, "t", "second")
		c.Start(old)
		wantInSync(t, c, 3)

		old = c.Leader("t", 0)
		if c.Way() == Containers {
			c.Isolate(old)
			wantLeaderOtherThan(t, c, old)
			mustCommit(t, c, "t", "third")
			c.Rejoin(old)
			wantInSync(t, c, 3)
		} else {
			c.Stop(old)
			wantLeaderOtherThan(t, c, old)
			mustCommit(t, c, "t", "third")
			c.Start(old)
			wantInSync(t, c, 3)
		}
		wantRecords(t, c, "t", "first", "second", "third")
		for _, verb := range []int32{c.GroupCoordinator("g"), c.TxnCoordinator("x")} {
			if verb < 1 || verb > 3 {
				t.Errorf("coordinator %d; want one of the three", verb)
			}
		}
	})
}

// wantLeaderOtherThan asks until the brokers that are left agree on a new leader.
func wantLeaderOtherThan(t *testing.T, c *Cluster, old int32) {
	t.Helper()
	until(t, c, func(leader int32, _ []int32) bool { return leader >= 0 && leader != old })
}

func wantInSync(t *testing.T, c *Cluster, n int) {
	t.Helper()
	until(t, c, func(_ int32, inSync []int32) bool { return len(inSync) == n })
}

func until(t *testing.T, c *Cluster, done func(leader int32, inSync []int32) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k := connect(t, c, kgo.MetadataMinAge(10*time.Millisecond))
	for {
		topics, err := adminOf(k).ListTopics(ctx, "t")
		if err == nil {
			if p := topics["t"].Partitions[0]; done(p.Leader, p.ISR) {
				return
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("topic t stays as it is: %+v, %v", topics["t"], err)
		}
		pause(ctx, 50*time.Millisecond)
	}
}
