package testkafka

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func client(t *testing.T, brokers []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func createTopic(t *testing.T, brokers []string, topic string) {
	t.Helper()
	if _, err := kadm.NewClient(client(t, brokers)).CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// commit writes one record in a transaction.
func commit(t *testing.T, brokers []string, topic, value string) {
	t.Helper()
	c := client(t, brokers, kgo.TransactionalID(t.Name()), kgo.DefaultProduceTopic(topic))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

// committed returns the first n records a reader of committed records sees.
func committed(t *testing.T, brokers []string, topic string, n int) []string {
	t.Helper()
	c := client(t, brokers, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var got []string
	for len(got) < n {
		fetches := c.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return got
}

func TestBrokerCommitsATransactionOfTheSecondProtocol(t *testing.T) {
	brokers, topic := []string{New(t, Options{}).Addr()}, "t"
	versions, err := kadm.NewClient(client(t, brokers)).ApiVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		raw := v.Raw()
		if raw == nil {
			t.Fatal(v.Err)
		}
		level := int16(-1)
		for _, f := range raw.FinalizedFeatures {
			if f.Name == "transaction.version" {
				level = f.MaxVersionLevel
			}
		}
		if level != 2 {
			t.Errorf("broker %d has transaction.version %d; want 2: bootstrap.checkpoint carries it", v.NodeID, level)
		}
	}
	createTopic(t, brokers, topic)
	commit(t, brokers, topic, "done")
	if got := committed(t, brokers, topic, 1); got[0] != "done" {
		t.Errorf("read %q; want the record committed", got)
	}
}

func TestStoppedBrokerComesBackWithItsDataOnItsAddress(t *testing.T) {
	b, topic := New(t, Options{}), "t"
	addr := []string{b.Addr()}
	createTopic(t, addr, topic)
	commit(t, addr, topic, "kept")
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Addr() != addr[0] {
		t.Fatalf("the broker moved from %s to %s", addr[0], b.Addr())
	}
	if got := committed(t, addr, topic, 1); got[0] != "kept" {
		t.Errorf("read %q after a restart; want what was committed", got)
	}
}

// verdict records how a test was ended.
type verdict struct {
	testing.TB
	skipped, failed []any
}

func (v *verdict) Helper()           {}
func (v *verdict) Skip(args ...any)  { v.skipped = args; runtime.Goexit() }
func (v *verdict) Fatal(args ...any) { v.failed = args; runtime.Goexit() }

func judge(err error) *verdict {
	v, done := &verdict{}, make(chan struct{})
	go func() { defer close(done); leaveOut(v, err) }()
	<-done
	return v
}

func TestMissingKafkaSkipsUnlessRequired(t *testing.T) {
	missing := &Missing{Why: "no Java"}
	t.Setenv("MILLRACE_REQUIRE_KAFKA", "")
	if v := judge(missing); v.skipped == nil || v.failed != nil {
		t.Errorf("without MILLRACE_REQUIRE_KAFKA: %+v; want skipped", v)
	}
	if v := judge(errors.New("broken broker")); v.failed == nil {
		t.Errorf("a broker that does not start: %+v; want failed", v)
	}
	t.Setenv("MILLRACE_REQUIRE_KAFKA", "1")
	if v := judge(missing); v.failed == nil {
		t.Errorf("with MILLRACE_REQUIRE_KAFKA=1: %+v; want failed", v)
	}
}

func TestBrokerOfFailedTestsLeavesItsLogOnly(t *testing.T) {
	for _, keep := range []bool{false, true} {
		b, err := open(Kit{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"log", "data/segment"} {
			path := filepath.Join(b.dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.close(keep); err != nil {
			t.Fatal(err)
		}
		_, noLog := os.Stat(b.LogFile())
		_, noData := os.Stat(filepath.Join(b.dir, "data"))
		if (noLog == nil) != keep || noData == nil {
			t.Errorf("closed to keep its log, %v: log %v, data %v; want no data", keep, noLog, noData)
		}
		if err := os.RemoveAll(b.dir); err != nil {
			t.Error(err)
		}
	}
}
