package enginetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-streams/millrace/bench/internal/broker"
	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// start is the time of the first record: two seconds before a minute ends, so that windows change.
const start = 1_700_000_038_000

// A Bench is a broker with a workload.
type Bench struct {
	*broker.Broker
	Options  contract.Options // how engines are run; to be changed before Run
	workload workload.Workload
	records  int64
	loaded   int64
}

// Start prepares a workload of so many records on a broker of its own, which ends with the test. No record of the stream is
// loaded yet.
func Start(t testing.TB, name string, records int64) *Bench {
	t.Helper()
	w, err := workload.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	b := &Bench{workload: w, records: records, Options: contract.Options{
		Brokers: fake.ListenAddrs(), Workload: name, In: []string{"in"}, Out: "out", App: "app", StateDir: t.TempDir(),
		Guarantee: contract.ExactlyOnce, Commit: 20 * time.Millisecond, Workers: 1,
	}}
	if b.Broker, err = broker.Dial(t.Context(), b.Options.Brokers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	rows, joins := w.Rows(start)
	if joins {
		b.Options.In = append(b.Options.In, "rows")
	}
	if _, pairs := w.Mates(records, start); pairs {
		b.Options.In = append(b.Options.In, "mates")
	}
	if err := b.Create(t.Context(), append([]string{b.Options.Out}, b.Options.In...)...); err != nil {
		t.Fatal(err)
	}
	if joins {
		if err := b.Load(t.Context(), "rows", rows); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// load makes the stream n records long.
func (b *Bench) load(t testing.TB, n int64) {
	t.Helper()
	from := b.loaded
	part := func(topic string, whole workload.Input) {
		rest := workload.Input{Records: n - from, Fill: func(i int64, r *workload.Record) { whole.Fill(from+i, r) }}
		if err := b.Load(t.Context(), topic, rest); err != nil {
			t.Fatal(err)
		}
	}
	part(b.Options.In[0], b.workload.Stream(b.records, start))
	if mates, ok := b.workload.Mates(b.records, start); ok {
		part("mates", mates)
	}
	b.loaded = n
}

// done reports whether an engine has committed all that is loaded, and how many records of the stream it has.
func (b *Bench) done(ctx context.Context, n int64) (at int64, all bool, err error) {
	at, err = b.Committed(ctx, b.Options.App, b.Options.In[0])
	if err != nil || at < n || !b.workload.Through {
		return at, at >= n, err
	}
	all, err = b.Through(ctx, b.Options.App, b.Options.In...)
	return at, all, err
}

// Work runs the engine until it has committed the first n records of the stream, and stops it.
func (b *Bench) Work(t testing.TB, run func(context.Context, contract.Options) error, n int64) {
	t.Helper()
	b.load(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx, b.Options) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		at, all, err := b.done(t.Context(), n)
		if err == nil && all {
			break
		}
		select {
		case <-tick.C:
		case err := <-done:
			t.Fatalf("the engine ended after %d of %d records: %v", at, n, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("the engine ended with: %v", err)
	}
}

// Verify fails the test unless the output is complete and right.
func (b *Bench) Verify(t testing.TB) {
	t.Helper()
	if err := b.Broker.Verify(t.Context(), b.Options.Out, b.workload.Checker(b.records, start, b.Options.CacheMB == 0)); err != nil {
		t.Errorf("%s, %s, cache %d MB: %v", b.workload.Name, b.Options.Guarantee, b.Options.CacheMB, err)
	}
}

// Refuses fails the test unless run refuses the options with an error that contains want.
func Refuses(t testing.TB, run func(context.Context, contract.Options) error, o contract.Options, want string) {
	t.Helper()
	if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%+v: got %v, want an error that contains %q", o, err, want)
	}
}
