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
		w := newHang(t)
		holdOffset(t, w.hang, "app", "in")
		app, stop := w.run()
		began := time.Now()
		select {
		case h := <-w.hanging:
			if h.Topic != "in" || h.Partition != 0 || h.For < 20*time.Second || h.LogTopic != "__consumer_offsets" || !strings.Contains(h.Remedy, "kafka-transactions.sh") {
				t.Errorf("%+v", h)
			}
		case <-time.After(time.Minute):
			t.Errorf("nothing was said within %v; ready: %v", time.Since(began), app.Ready())
		}
		if err := app.Ready(); err == nil || !strings.Contains(err.Error(), "in/0") {
			t.Errorf("ready: %v, want what it waits for", err)
		}
		// The transaction ends: so does the wait.
		if err := w.hang.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		if err := app.WaitFor(t.Context(), millrace.Running); err != nil {
			t.Error(err)
		}
		stop()
	})
}

// TestTransactionThatHoldsAnInputBackIsNamed: a reader of committed records sees a quiet topic, whatever is written behind a
// transaction that nobody ends. The app says which one it is. One that a coordinator will end is no matter.
func TestTransactionThatHoldsAnInputBackIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHang(t)
		app, stop := w.run()
		if err := app.WaitFor(t.Context(), millrace.Running); err != nil {
			t.Fatal(err)
		}
		plain := w.client()
		defer plain.Close()
		send := func(cl *kgo.Client, value string) {
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "in", Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		send(plain, "before")
		if err := w.hang.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		send(w.hang, "inside")
		send(plain, "behind")
		time.Sleep(2 * time.Minute) // nothing is said meanwhile
		select {
		case h := <-w.hanging:
			t.Errorf("a transaction that its coordinator knows is called hanging: %+v", h)
		default:
		}
		w.kafka.ControlKey(int16(kmsg.ListTransactions), func(r kmsg.Request) (kmsg.Response, error, bool) {
			w.kafka.KeepControl() // no coordinator knows it any more
			none := kmsg.NewPtrListTransactionsResponse()
			none.Version = r.GetVersion()
			return none, nil, true
		})
		id, _, err := w.hang.ProducerID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		select {
		case h := <-w.hanging:
			if h.Topic != "in" || h.Partition != 0 || h.LogTopic != "in" || h.Offset != 1 || h.ProducerID != id ||
				!strings.HasSuffix(h.Remedy, "abort --topic in --partition 0 --start-offset 1") {
				t.Errorf("%+v, want offset 1 of producer %d", h, id)
			}
		case <-time.After(time.Minute):
			t.Error("nothing was said within a minute")
		}
		time.Sleep(2 * time.Minute)
		select {
		case h := <-w.hanging:
			t.Errorf("it is said again: %+v", h)
		default:
		}
		stop()
	})
}

// A hang is a fake Kafka in virtual time, and somebody who may leave transactions open.
type hang struct {
	t       *testing.T
	kafka   *kfake.Cluster
	vn      *kfake.VirtualNetwork
	hang    *kgo.Client
	hanging chan millrace.HangInfo
}

func newHang(t *testing.T) *hang {
	t.Helper()
	w := &hang{t: t, vn: &kfake.VirtualNetwork{}, hanging: make(chan millrace.HangInfo, 10)}
	var err error
	if w.kafka, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(w.vn.Listen), kfake.SeedTopics(1, "in", "out")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kafka.Close)
	w.hang = w.client(kgo.TransactionalID("hang"), kgo.TransactionTimeout(10*time.Minute))
	t.Cleanup(w.hang.Close)
	return w
}

func (w *hang) client(opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(w.kafka.ListenAddrs()...), kgo.Dialer(w.vn.DialContext)}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return cl
}

// run runs an app until stop.
func (w *hang) run() (app *millrace.App, stop func()) {
	w.t.Helper()
	app, err := millrace.New(copyTo("out"), millrace.Config{
		ApplicationID: "app", Brokers: w.kafka.ListenAddrs(), StateDir: filepath.Join(w.t.TempDir(), "state"), Workers: 1, Memory: 16 << 20,
		Logger: slog.New(slog.DiscardHandler), Client: []kgo.Opt{kgo.Dialer(w.vn.DialContext)},
		Events: &millrace.Events{Hanging: func(h millrace.HangInfo) { w.hanging <- h }},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	return app, func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
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
