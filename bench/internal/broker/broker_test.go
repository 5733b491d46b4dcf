package broker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/bench/internal/workload"
)

const (
	records = 5_000
	start   = 1_700_000_000_000
)

func fake(t *testing.T) *Broker {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b, err := Dial(t.Context(), c.ListenAddrs())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func named(t *testing.T, name string) workload.Workload {
	t.Helper()
	w, err := workload.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// inverted is the output that copy wants, as an input to load.
func inverted(w workload.Workload) workload.Input {
	in := w.Stream(records, start)
	return workload.Input{Records: records, Fill: func(i int64, r *workload.Record) {
		in.Fill(i, r)
		r.Value[0] ^= 0xff
	}}
}

func TestLoadedOutputIsVerifiedInFull(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	if err := b.Create(t.Context(), "in", "out"); err != nil {
		t.Fatal(err)
	}
	for topic, in := range map[string]workload.Input{"in": w.Stream(records, start), "out": inverted(w)} {
		if err := b.Load(t.Context(), topic, in); err != nil {
			t.Fatal(err)
		}
	}
	c := w.Checker(records, start, true)
	if err := b.Verify(t.Context(), "out", c); err != nil || c.Records() != records {
		t.Errorf("right output: %v, %d records checked", err, c.Records())
	}
	if err := b.Verify(t.Context(), "in", w.Checker(records, start, true)); err == nil || !strings.Contains(err.Error(), "wrong output") {
		t.Errorf("a topic that was not mapped: got %v", err)
	}
	if err := b.Verify(t.Context(), "out", w.Checker(records+1, start, true)); err == nil || !strings.Contains(err.Error(), "1 of 5001 records are missing") {
		t.Errorf("a record less than wanted: got %v", err)
	}
}

func TestAnEmptyOutputIsMissingEverything(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	if err := b.Create(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(t.Context(), "out", w.Checker(records, start, true)); err == nil || !strings.Contains(err.Error(), "5000 of 5000 records are missing") {
		t.Errorf("got %v", err)
	}
}

func TestKeysInAWrongPartitionAreRefused(t *testing.T) {
	b, w := fake(t), named(t, "count-1k")
	if err := b.Create(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var r workload.Record
	w.Stream(1, start).Fill(0, &r)
	one := []byte{0, 0, 0, 0, 0, 0, 0, 1}
	refused := 0
	for p := range int32(workload.Partitions) {
		c := &placed{Checker: w.Checker(1, start, true), place: kgo.StickyKeyPartitioner(nil).ForTopic("")}
		if err := c.check(&kgo.Record{Partition: p, Key: r.Key, Value: one}); err != nil {
			if !strings.Contains(err.Error(), "the default partitioner says") {
				t.Errorf("got %v", err)
			}
			refused++
		}
	}
	if refused != workload.Partitions-1 {
		t.Errorf("%d of %d partitions were refused", refused, workload.Partitions)
	}
}

// transact writes records in a transaction of their own.
func transact(t *testing.T, b *Broker, topic string, in workload.Input, end kgo.TransactionEndTry) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.DefaultProduceTopic(topic), kgo.TransactionalID("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	var recs []*kgo.Record
	for i := range in.Records {
		var r workload.Record
		in.Fill(i, &r)
		kr := &kgo.Record{Key: r.Key, Value: r.Value}
		if r.Marked {
			kr.Headers = []kgo.RecordHeader{{Key: workload.MarkHeader}}
		}
		recs = append(recs, kr)
	}
	if err := cl.ProduceSync(t.Context(), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := cl.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

func TestAbortedRecordsAreNotPartOfTheOutput(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	if err := b.Create(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	transact(t, b, "out", w.Stream(10, start), kgo.TryAbort) // not inverted: wrong, if it could be seen
	transact(t, b, "out", inverted(w), kgo.TryCommit)
	transact(t, b, "out", w.Stream(10, start), kgo.TryAbort) // markers come last
	if err := b.Verify(t.Context(), "out", w.Checker(records, start, true)); err != nil {
		t.Error(err)
	}
}

func TestAnOpenTransactionIsNotWaitedForForever(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	if err := b.Create(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.DefaultProduceTopic("out"), kgo.TransactionalID("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(t.Context(), kgo.KeySliceRecord([]byte("12345678"), nil)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, stop)
	defer cancel()
	if err := b.Verify(ctx, "out", w.Checker(records, start, true)); !errors.Is(err, stop) || !strings.Contains(err.Error(), "a transaction stays open in out/") {
		t.Errorf("got %v", err)
	}
}

func TestRemoveTakesWhatBeginsWithTheNameAndNothingElse(t *testing.T) {
	b := fake(t)
	if err := b.Create(t.Context(), "run-1", "run-1-out", "run-1-count-changelog", "run-10", "other"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is gone is no error
		if err := b.Remove(t.Context(), "run-1"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.topics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(got, []string{"other", "run-10"}) {
		t.Errorf("left: %v", got)
	}
}

func TestCommittedIsTheSumOfAGroupsOffsets(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	if err := b.Create(t.Context(), "in", "more"); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Committed(t.Context(), "g", "in"); n != 0 || err != nil {
		t.Errorf("a group that does not exist: %d, %v", n, err)
	}
	for _, topic := range []string{"in", "more"} {
		if err := b.Load(t.Context(), topic, w.Stream(records, start)); err != nil {
			t.Fatal(err)
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.ConsumeTopics("in", "more"), kgo.ConsumerGroup("g"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for n := 0; n < 2*records; {
		fs := cl.PollFetches(t.Context())
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		n += fs.NumRecords()
	}
	if err := cl.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Settled(t.Context(), "g", "in"); n != records || err != nil {
		t.Errorf("got %d, %v, want %d", n, err, records)
	}
}

func TestLoggedCountsOneApplicationsChangelogs(t *testing.T) {
	b, w := fake(t), named(t, "copy")
	topics := []string{"a-x-changelog", "a-y-changelog", "a-out", "ab-x-changelog"}
	if err := b.Create(t.Context(), topics...); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if err := b.Load(t.Context(), topic, w.Stream(100, start)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := b.Logged(t.Context(), "a"); n != 200 || err != nil {
		t.Errorf("got %d, %v, want 200", n, err)
	}
}

func TestNobodyAtTheAddressIsAnErrorThatSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, []string{"127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), "no broker answers at 127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}
