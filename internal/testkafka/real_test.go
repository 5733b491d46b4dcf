package testkafka

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
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
	c := client(t, brokers, kgo.TransactionalID(Name(t)), kgo.DefaultProduceTopic(topic))
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

func TestRealCommitsATransactionOfTheSecondProtocol(t *testing.T) {
	brokers, topic := Real(t), Name(t)
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

func TestRealIsOneBrokerPerTestProcess(t *testing.T) {
	if a, b := Real(t)[0], Real(t)[0]; a != b {
		t.Errorf("Real = %s, then %s; want one broker", a, b)
	}
}

func TestRealPrefersTheBrokersNamed(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "one:1,two:2")
	if got := Real(t); len(got) != 2 || got[0] != "one:1" || got[1] != "two:2" {
		t.Errorf("Real = %q; want those of KAFKA_BROKERS", got)
	}
}

func TestStoppedBrokerComesBackWithItsDataOnItsAddress(t *testing.T) {
	b, topic := New(t, Options{}), Name(t)
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

type code int

func (c code) Run() int { return int(c) }

func TestBrokerOfFailedTestsLeavesItsLogOnly(t *testing.T) {
	for _, tc := range []struct {
		exit code
		kept bool
	}{{0, false}, {1, true}} {
		// Another test's broker is put aside, as if this were a process of its own.
		shared.Lock()
		other, tried := shared.broker, shared.tried
		b, err := open(Kit{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		shared.broker, shared.tried = b, true
		shared.Unlock()
		for _, name := range []string{"log", "data/segment"} {
			path := filepath.Join(b.dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}

		if got := StopAfter(tc.exit).Run(); got != int(tc.exit) {
			t.Errorf("exit code %d became %d", tc.exit, got)
		}
		shared.Lock()
		shared.broker, shared.tried = other, tried
		shared.Unlock()

		_, noLog := os.Stat(b.LogFile())
		_, noData := os.Stat(filepath.Join(b.dir, "data"))
		if (noLog == nil) != tc.kept || noData == nil {
			t.Errorf("after exit code %d: log %v, data %v; want the log kept: %v, and no data", tc.exit, noLog, noData, tc.kept)
		}
		if err := os.RemoveAll(b.dir); err != nil {
			t.Error(err)
		}
	}
}

func TestNameIsValidInKafkaAndNew(t *testing.T) {
	valid := regexp.MustCompile(`^[a-zA-Z0-9_-]{9,100}$`)
	t.Run("ünïcode/and spaces "+strings.Repeat("long", 40), func(t *testing.T) {
		a, b := Name(t), Name(t)
		if !valid.MatchString(a) || a == b {
			t.Errorf("Name = %q, then %q; want two names Kafka accepts", a, b)
		}
	})
}
