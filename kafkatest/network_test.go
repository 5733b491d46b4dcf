package kafkatest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// One cluster a way, and everything the network can do to its clients.
func TestFaultsOfTheNetwork(t *testing.T) {
	each(t, own, func(t *testing.T, way Option) {
		c := Start(t, way)
		node := c.Nodes()[0]
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "before")

		t.Run("CutBrokerIsSilentAndComesBack", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c, kgo.RequestTimeoutOverhead(time.Second)) // how long a client that connects waits
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Fatal(err)
			}
			c.Cut(node)
			if err := answers(t, k, 300*time.Millisecond); err == nil {
				t.Error("an answer came through a cut")
			}
			conn, err := net.Dial("tcp", c.Brokers()[0])
			if err != nil {
				t.Fatalf("connecting through a cut: %v; want it accepted", err)
			}
			conn.Close()
			if _, err := c.Admin().ListBrokers(t.Context()); err != nil {
				t.Errorf("the administrator is cut off too: %v", err)
			}
			if err := answers(t, dialled(t, c.Around()...), 30*time.Second); err != nil {
				t.Errorf("a client that goes around faults is cut off too: %v", err)
			}
			c.Heal(node)
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Errorf("after the cut: %v", err)
			}
		})

		t.Run("SlowBrokerAnswersLate", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c)
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Fatal(err)
			}
			const delay = 100 * time.Millisecond
			c.Slow(node, delay)
			began := time.Now()
			if err := answers(t, k, 30*time.Second); err != nil || time.Since(began) < 2*delay {
				t.Errorf("answer after %v, %v; want at least %v", time.Since(began), err, 2*delay)
			}
			c.Heal(node)
		})

		t.Run("LostAnswerToACommitIsACommit", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c, kgo.TransactionalID("lost"), kgo.DefaultProduceTopic("t"))
			if err := k.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := k.ProduceSync(t.Context(), kgo.StringRecord("committed")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			c.LoseAnswers(node, Answers{To: []kmsg.Key{kmsg.EndTxn}, Times: 1})
			if err := k.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
				t.Errorf("EndTransaction: %v; want it healed by the client's second try", err)
			}
			if n := c.LostAnswers(node); n != 1 {
				t.Errorf("%d answers lost; want 1", n)
			}
			c.Heal(node)
			wantRecords(t, c, "t", "before", "committed")
		})

		t.Run("SwallowedAnswersLeaveTheClientWaiting", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c, kgo.DefaultProduceTopic("t"), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Fatal(err)
			}
			c.LoseAnswers(node, Answers{To: []kmsg.Key{kmsg.Produce}, Hang: true})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := k.ProduceSync(ctx, kgo.StringRecord("written")).FirstErr(); err == nil {
				t.Error("the answer came")
			}
			c.Heal(node)
			wantRecords(t, c, "t", "before", "committed", "written")
		})

		t.Run("AllAnswersLost", func(t *testing.T) {
			c := c.In(t)
			k := connect(t, c)
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Fatal(err)
			}
			c.LoseAnswers(node, Answers{})
			if err := answers(t, k, 500*time.Millisecond); err == nil {
				t.Error("an answer came")
			}
			c.Heal(node)
			if err := answers(t, k, 30*time.Second); err != nil {
				t.Errorf("after Heal: %v", err)
			}
		})
	})
}
