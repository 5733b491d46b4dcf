//go:build synctests

package millrace_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace"
)

// TestHangingTransactionIsNamed: somebody's transaction holds the group's offsets back for longer than any of ours may live. The app
// waits, since what it would read may be processed already, but it says which partition it waits for and what to do.
func TestHangingTransactionIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		vn := &kfake.VirtualNetwork{}
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(vn.Listen))
		if err != nil {
			t.Fatal(err)
		}
		defer kafka.Close()
		client := func(opts ...kgo.Opt) *kgo.Client {
			cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.Dialer(vn.DialContext)}, opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			return cl
		}
		hang := client(kgo.TransactionalID("hang"), kgo.TransactionTimeout(10*time.Minute))
		defer hang.Close()
		adm := kadm.NewClient(hang)
		for _, topic := range []string{"in", "out"} {
			if _, err := adm.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
				t.Fatal(err)
			}
		}
		holdOffset(t, hang, "app", "in")

		hanging := make(chan millrace.HangInfo, 1)
		app, err := millrace.New(copyTo("out"), millrace.Config{
			ApplicationID: "app", Brokers: kafka.ListenAddrs(), StateDir: filepath.Join(t.TempDir(), "state"), Workers: 1, Memory: 16 << 20,
			Logger: slog.New(slog.DiscardHandler), Client: []kgo.Opt{kgo.Dialer(vn.DialContext)},
			Events: &millrace.Events{Hanging: func(h millrace.HangInfo) { hanging <- h }},
		})
		if err != nil {
			t.Fatal(err)
		}
		runCtx, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- app.Run(runCtx) }()

		began := time.Now()
		select {
		case h := <-hanging:
			if h.Topic != "in" || h.Partition != 0 || h.For < 20*time.Second || !strings.Contains(h.Remedy, "kafka-transactions.sh") {
				t.Errorf("%+v", h)
			}
		case <-time.After(time.Minute):
			t.Errorf("nothing was said within %v; ready: %v", time.Since(began), app.Ready())
		}
		if err := app.Ready(); err == nil || !strings.Contains(err.Error(), "in/0") {
			t.Errorf("ready: %v, want what it waits for", err)
		}
		// The transaction ends: so does the wait.
		if err := hang.EndTransaction(ctx, kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		if err := app.WaitFor(ctx, millrace.Running); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// holdOffset opens a transaction that holds a group's offset of a topic's first partition.
func holdOffset(t *testing.T, cl *kgo.Client, group, topic string) {
	t.Helper()
	ctx := context.Background()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "out", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	id, epoch, err := cl.ProducerID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "hang", id, epoch, group
	if _, err := add.RequestWith(ctx, cl); err != nil {
		t.Fatal(err)
	}
	topics, err := kadm.NewClient(cl).ListTopics(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch, req.Generation = "hang", group, id, epoch, -1
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.Topic, rt.TopicID = topic, topics[topic].ID
	rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	rp.Offset = 0
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		t.Fatal(err)
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("TxnOffsetCommit: error code %d", code)
	}
}
