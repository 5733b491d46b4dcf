package millrace_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// A world is a fake Kafka with a client.
type world struct {
	t       *testing.T
	kafka   *kfake.Cluster
	brokers []string
	cl      *kgo.Client
	adm     *kadm.Client
}

func newWorld(t *testing.T, topics ...string) *world {
	t.Helper()
	w := worldOn(t)
	w.create(2, topics...)
	return w
}

func (w *world) client(opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(w.brokers...), kgo.FetchMaxWait(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(cl.Close)
	return cl
}

func (w *world) create(partitions int32, topics ...string) {
	w.t.Helper()
	for _, topic := range topics {
		if _, err := w.adm.CreateTopic(w.t.Context(), partitions, 1, nil, topic); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) send(recs ...*kgo.Record) {
	w.t.Helper()
	if err := w.cl.ProduceSync(w.t.Context(), recs...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// read returns the first n records of a topic that a read_committed consumer sees.
func (w *world) read(topic string, n int) []*kgo.Record {
	w.t.Helper()
	cl := w.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	var recs []*kgo.Record
	for len(recs) < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatalf("%s: %d of %d records", topic, len(recs), n)
		}
		recs = append(recs, fs.Records()...)
	}
	return recs
}

// config is one for tests: everything but what a test is about.
func (w *world) config() millrace.Config {
	return millrace.Config{ApplicationID: "app", Brokers: w.brokers, StateDir: filepath.Join(w.t.TempDir(), "state"), Memory: 16 << 20, Workers: 1,
		OnStop: millrace.StopLeave, Logger: slog.New(slog.DiscardHandler), Client: []kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())}}
}

// run starts an app. What it returns stops it and gives Run's error.
func (w *world) run(top *topology.Topology, c millrace.Config) (app *millrace.App, end func() error) {
	w.t.Helper()
	app, err := millrace.New(top, c)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx) }()
	end = sync.OnceValue(func() error {
		stop()
		select {
		case err := <-done:
			return err
		case <-time.After(time.Minute):
			return errors.New("the app does not end")
		}
	})
	w.t.Cleanup(func() { _ = end() }) // a test that cares has asked before
	return app, end
}

// fails runs an app that must end by itself, and returns its error.
func (w *world) fails(top *topology.Topology, c millrace.Config) error {
	w.t.Helper()
	app, err := millrace.New(top, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	err = app.Run(ctx)
	if err == nil {
		w.t.Fatal("Run returned nil, want an error")
	}
	if s := app.State(); s != millrace.Failed {
		w.t.Errorf("state %v, want failed", s)
	}
	return err
}

// says checks that an error's text names what is wrong and what to do.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

var texts = topology.NewTopic("in", serde.String, serde.String)

func copyTo(out string) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, texts).To(texts.Named(out))
	return topology.Must(b.Build())
}

func countTo(out string) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, texts).GroupByKey().Count("counts").To(topology.NewTopic(out, serde.String, serde.Int64))
	return topology.Must(b.Build())
}

func TestConfigThatCannotWorkIsRefusedWhole(t *testing.T) {
	_, err := millrace.New(copyTo("out"), millrace.Config{TransactionTimeout: 50 * time.Millisecond, Memory: 1, Workers: -1, ApplicationID: "a b"})
	if err == nil {
		t.Fatal("accepted")
	}
	says(t, err, "Config.ApplicationID", "Config.Brokers", "Config.TransactionTimeout", "CommitInterval", "Config.Memory", "Config.Workers")
	var c *millrace.ConfigError
	if !errors.As(err, &c) {
		t.Errorf("%T is no *ConfigError", err)
	}
	_, err = millrace.New(copyTo("out"), millrace.Config{Brokers: []string{"x:1"}})
	says(t, err, "Config.ApplicationID", "is empty")
}

func TestMissingSourceTopicIsNamedWithTheLineThatReadsIt(t *testing.T) {
	w := newWorld(t, "out")
	err := w.fails(copyTo("out"), w.config())
	var e *millrace.TopicError
	if !errors.As(err, &e) || e.Topic != "in" {
		t.Fatalf("%v", err)
	}
	says(t, err, "does not exist", "create it", "failures_test.go:")
}

func TestInternalTopicOfAnotherSizeIsRefused(t *testing.T) {
	w := newWorld(t, "in", "out")
	w.create(3, "app-counts-changelog")
	err := w.fails(countTo("out"), w.config())
	if !errors.Is(err, millrace.ErrPartitions) {
		t.Fatalf("%v", err)
	}
	says(t, err, "app-counts-changelog", "3 partitions", "needs 2")
}

func TestChangelogThatIsNotCompactedIsRefused(t *testing.T) {
	w := newWorld(t, "in", "out")
	policy := "delete"
	if _, err := w.adm.CreateTopic(t.Context(), 2, 1, map[string]*string{"cleanup.policy": &policy}, "app-counts-changelog"); err != nil {
		t.Fatal(err)
	}
	says(t, w.fails(countTo("out"), w.config()), "app-counts-changelog", "cleanup.policy=delete", "must be compact")
}

func TestJoinOfTopicsWithDifferentPartitionsIsRefused(t *testing.T) {
	w := newWorld(t, "in", "out")
	w.create(3, "rows")
	b := topology.NewBuilder()
	rows := ktable.From(b, texts.Named("rows"), "rows")
	kstream.From(b, texts).JoinTable(rows, func(v, row string) string { return v + row }).To(texts.Named("out"))
	err := w.fails(topology.Must(b.Build()), w.config())
	if !errors.Is(err, millrace.ErrPartitions) {
		t.Fatalf("%v", err)
	}
	says(t, err, "3", "2", "rows", "in", "Repartition")
}

func TestInternalTopicsHaveKafkaStreamsNamesAndSettings(t *testing.T) {
	w := newWorld(t, "in", "out")
	b := topology.NewBuilder()
	kstream.From(b, texts).GroupBy("by", func(_, v string) string { return v }).Count("counts").To(topology.NewTopic("out", serde.String, serde.Int64))
	kstream.From(b, texts).Process("stretches", func(*topology.Task, topology.Out[string, string]) topology.Handler[string, string] {
		return func(context.Context, topology.Record[string, string]) error { return nil }
	}, store.NewWindow("windows", serde.String, serde.Int64, time.Minute, time.Hour), store.NewSession("sessions", serde.String, serde.Int64, time.Minute))
	one := kstream.From(b, texts)
	one.JoinStream("joined", one.Filter(func(string, string) bool { return true }), window.Within(time.Second), func(l, r string) string { return l + r }).To(texts.Named("out"))
	app, end := w.run(topology.Must(b.Build()), w.config())
	w.running(app)
	want := map[string]map[string]string{
		"app-windows-changelog":  {"cleanup.policy": "compact,delete", "retention.ms": "90000000"},
		"app-sessions-changelog": {"cleanup.policy": "compact,delete", "retention.ms": "86460000"},
		// Values of a key stand side by side: nothing replaces another.
		"app-joined-this-join-store-changelog": {"cleanup.policy": "delete", "retention.ms": "86402000"},
		"app-counts-changelog":                 {"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"},
		"app-by-repartition":                   {"cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": "52428800"},
	}
	for topic, settings := range want {
		resp, err := w.adm.DescribeTopicConfigs(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range resp[0].Configs {
			got[c.Key] = c.MaybeValue()
		}
		for k, v := range settings {
			if got[k] != v {
				t.Errorf("%s: %s=%s, want %s", topic, k, got[k], v)
			}
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// running waits until an app runs all its tasks.
func (w *world) running(app *millrace.App) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := app.WaitFor(ctx, millrace.Running); err != nil {
		w.t.Fatalf("%v; ready: %v", err, app.Ready())
	}
}

func TestUnreachableBrokerEndsRunWithAnErrorThatSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, brokers: []string{addr}}
	err = w.fails(copyTo("out"), w.config())
	var u *millrace.UnreachableError
	if !errors.As(err, &u) {
		t.Fatalf("%v", err)
	}
	says(t, err, addr, "Config.Brokers")
}

// A load balancer before a broker that is down accepts connections and closes them at once.
func TestConnectionsClosedAtOnceAreAnUnreachableBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	defer func() { _ = l.Close(); <-ended }()
	w := &world{t: t, brokers: []string{l.Addr().String()}}
	var u *millrace.UnreachableError
	if err := w.fails(copyTo("out"), w.config()); !errors.As(err, &u) {
		t.Fatalf("%v", err)
	}
}

func TestStateDirectoryThatCannotBeWrittenIsNamed(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	c.StateDir = filepath.Join(t.TempDir(), "file", "state")
	if err := os.WriteFile(filepath.Dir(c.StateDir), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, w.fails(copyTo("out"), c), filepath.Dir(c.StateDir), "not a folder", "Config.StateDir")
}

func TestStateDirectoryOfAnotherApplicationIsRefused(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	app, end := w.run(copyTo("out"), c)
	w.running(app)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	c.ApplicationID = "other"
	says(t, w.fails(copyTo("out"), c), "other", "\"app\"", c.StateDir)
}

// Two processes on one machine with the same directory just work: each takes a slot of its own.
func TestTwoProcessesShareAStateDirectory(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	a, endA := w.run(countTo("out"), c)
	w.running(a)
	b, endB := w.run(countTo("out"), c)
	w.running(b)
	w.send(record("k", "v"), record("l", "v"))
	w.read("out", 2)
	for _, end := range []func() error{endA, endB} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
}

func record(key, value string) *kgo.Record {
	return &kgo.Record{Topic: "in", Key: []byte(key), Value: []byte(value)}
}
