package kstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var (
	lines  = topology.NewTopic("lines", serde.String, serde.String)
	loud   = topology.NewTopic("loud", serde.String, serde.String)
	counts = topology.NewTopic("word-counts", serde.String, serde.Int64)
)

// wordCount counts words through a repartition topic.
func wordCount(opts ...store.Option) (*topology.Topology, ktable.Table[string, int64]) {
	b := topology.NewBuilder()
	table := kstream.From(b, lines).
		FlatMapValues(strings.Fields).
		GroupBy("by-word", func(_, word string) string { return word }).
		Count("word-counts", opts...)
	table.To(counts)
	return topology.Must(b.Build()), table
}

// shout is the smallest topology.
func shout() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, lines).MapValues(strings.ToUpper).To(loud)
	return topology.Must(b.Build())
}

// parse fails on what is not a number.
func parse() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, lines).TryMapValues(func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }).To(counts)
	return topology.Must(b.Build())
}

// A recorder is a test that is watched by another: it keeps its failures.
type recorder struct {
	testing.TB
	failures []string
	fatal    bool
	cleanup  []func()
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(f func())  { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Output() io.Writer { return io.Discard }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.fatal = true
	runtime.Goexit()
}

// watch runs a test and returns its failures.
func watch(f func(t testing.TB)) *recorder {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanup) {
		f()
	}
	return r
}

func (r *recorder) want(t *testing.T, fatal bool, parts ...string) {
	t.Helper()
	if len(r.failures) != 1 || r.fatal != fatal {
		t.Fatalf("failures (fatal: %v): %q, want one, fatal: %v", r.fatal, r.failures, fatal)
	}
	for _, part := range parts {
		if !strings.Contains(r.failures[0], part) {
			t.Errorf("the failure is\n%s\nwant %q in it", r.failures[0], part)
		}
	}
}

func TestWordsAreCountedInTheOrderTheyAreWritten(t *testing.T) {
	for _, partitions := range []int{1, 4, 7} {
		top, table := wordCount()
		d := kstest.New(t, top, kstest.PartitionCount(partitions))
		in, out := d.Input(lines), d.Output(counts)
		in.Send("", "to be")
		in.SendAt(time.Unix(60, 0), "", "not to")
		out.Expect(kstest.KV("to", int64(1)), kstest.KV("be", int64(1)), kstest.KV("not", int64(1)), kstest.KV("to", int64(2)))
		out.ExpectNone()
		d.Crash() // what was not committed is gone, the rest comes back
		if n, ok := d.Table(table).Get("to"); n != 2 || !ok {
			t.Errorf("%d partitions: to = %d, %v after a crash; want 2", partitions, n, ok)
		}
		in.Send("", "to")
		out.Expect(kstest.KV("to", int64(3)))
	}
}

func TestEqualKeysMeetOnlyInTheirPartition(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, lines).GroupByKey().Count("n").To(counts)
	// Without PartitionBy equal keys would meet; here they are spread by value.
	spread := lines.PartitionBy(func(_, v string, _ int) int { return len(v) })
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(4))
	in, out := d.Input(spread), d.Output(counts)
	in.Send("k", "a")
	in.Send("k", "bb")
	in.Send("k", "c")
	out.Expect(kstest.KV("k", int64(1)), kstest.KV("k", int64(1)), kstest.KV("k", int64(2)))
}

func TestManualCommitHoldsBackWhatIsNotCommitted(t *testing.T) {
	top, table := wordCount()
	d := kstest.New(t, top, kstest.ManualCommit())
	in, out := d.Input(lines), d.Output(counts)
	in.Send("", "a b a")
	in.Send("", "a")
	out.ExpectNone()
	d.Commit()
	// The count saw all words in one transaction: the table forwards each changed row once, in the order of the last updates.
	out.Expect(kstest.KV("b", int64(1)), kstest.KV("a", int64(3)))
	out.ExpectNone()

	in.Send("", "a")
	d.Crash() // the record was not committed: it is processed again, and again not committed
	out.ExpectNone()
	if n, _ := d.Table(table).Get("a"); n != 3 {
		t.Errorf("a = %d after the crash, want 3", n)
	}
	d.Commit()
	out.Expect(kstest.KV("a", int64(4)))
	out.ExpectNone()
}

func TestACrashLosesUncommittedWritesOfStores(t *testing.T) {
	b := topology.NewBuilder()
	table := kstream.From(b, lines).GroupByKey().Count("n")
	d := kstest.New(t, topology.Must(b.Build()), kstest.ManualCommit())
	in := d.Input(lines)
	in.Send("k", "1")
	d.Commit()
	in.Send("k", "2")
	if n, _ := d.Table(table).Get("k"); n != 2 {
		t.Errorf("k = %d in the open transaction, want 2", n)
	}
	d.Crash()
	if n, _ := d.Table(table).Get("k"); n != 2 {
		t.Errorf("k = %d after the crash, want 2: one restored, one processed again", n)
	}
}

func TestStoresWithoutChangelogAreEmptyAfterACrash(t *testing.T) {
	b := topology.NewBuilder()
	table := kstream.From(b, lines).Repartition("five", kstream.Partitions(5)).GroupByKey().Count("n", store.NoChangelog())
	d := kstest.New(t, topology.Must(b.Build()))
	for i := range 20 {
		d.Input(lines).Send(fmt.Sprint(i), "")
	}
	d.Crash()
	if n := d.Table(table).Len(); n != 0 {
		t.Errorf("%d rows after the crash, want none", n)
	}
}

func TestAFailureFailsTheTest(t *testing.T) {
	watch(func(t testing.TB) {
		kstest.New(t, parse()).Input(lines).Send("k", "x")
		t.Errorf("not reached")
	}).want(t, true, "the app has stopped", "lines/0@0", "invalid syntax")
}

func TestAStoppedAppStaysStopped(t *testing.T) {
	r := watch(func(t testing.TB) {
		d := kstest.New(t, parse(), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Fail() }))
		in := d.Input(lines)
		in.Send("k", "1")
		in.Send("k", "x")
		var e *topology.RecordError
		if !errors.As(d.Stopped(), &e) || e.Offset != 1 || len(d.Errors()) != 1 || d.Errors()[0] != e {
			t.Errorf("stopped with %v, errors %v", d.Stopped(), d.Errors())
		}
		d.Output(counts).Expect(kstest.KV("k", int64(1)))
		in.Send("k", "2")
	})
	r.want(t, true, "the app has stopped", "lines/0@1")
}

func TestAFailureTakesTheTransactionsInHandWithIt(t *testing.T) {
	b := topology.NewBuilder()
	s := kstream.From(b, lines)
	table := s.GroupByKey().Count("n")
	s.TryMapValues(func(s string) (string, error) {
		if s == "error" {
			return "", errors.New("no")
		}
		return s, nil
	}).To(loud)
	d := kstest.New(t, topology.Must(b.Build()), kstest.ManualCommit(), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Fail() }))
	in := d.Input(lines)
	in.Send("k", "1")
	d.Commit()
	in.Send("k", "2")
	in.Send("k", "error")
	if d.Stopped() == nil {
		t.Fatal("the app did not stop")
	}
	d.Output(loud).Expect(kstest.KV("k", "1"))
	d.Output(loud).ExpectNone()
	if n, _ := d.Table(table).Get("k"); n != 1 {
		t.Errorf("k = %d, want what was committed: 1", n)
	}
}

func TestATableKeptInItsSourceTopicComesBackAsFarAsItWasProcessed(t *testing.T) {
	top, prices := priced(store.SourceChangelog())
	d := kstest.New(t, top, kstest.ManualCommit())
	in := d.Input(counts)
	in.Send("a", 1)
	in.SendRecord(kstest.KV("", int64(7)).WithoutKey())
	in.SendAt(time.UnixMilli(-5), "old", 9) // is dropped, and stays so
	d.Commit()
	d.Advance(time.Second)
	d.Input(lines).Send("a", "x")
	d.Advance(time.Second)
	in.Send("a", 2)
	d.Crash()
	d.Commit()
	d.Output(loud).Expect(kstest.KV("a", "x1 true")) // as it was before the crash
	if got := maps.Collect(d.Table(prices).All()); !maps.Equal(got, map[string]int64{"a": 2}) {
		t.Errorf("rows %v", got)
	}
	d.Output(topology.NewTopic("app-prices-changelog", serde.String, serde.Int64)).ExpectNone()
}

func TestACrashStartsAStoppedAppAgain(t *testing.T) {
	broken := true
	b := topology.NewBuilder()
	kstream.From(b, lines).TryMapValues(func(s string) (string, error) {
		if broken {
			return "", errors.New("not today")
		}
		return s, nil
	}).To(loud)
	d := kstest.New(t, topology.Must(b.Build()), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Fail() }))
	d.Input(lines).Send("k", "v")
	d.Output(loud).ExpectNone()
	broken = false
	d.Crash()
	d.Output(loud).Expect(kstest.KV("k", "v"))
}

func TestPoliciesDecide(t *testing.T) {
	dead := topology.NewTopic("dead", serde.String, serde.String)
	attempts := 0
	d := kstest.New(t, parse(), kstest.OnError(func(e *topology.RecordError) topology.Action {
		switch string(e.Value) {
		case "skip":
			return topology.Skip()
		case "later":
			if attempts++; attempts < 3 {
				return topology.Retry(time.Second)
			}
		}
		return topology.DeadLetter("dead")
	}))
	in, out := d.Input(lines), d.Output(counts)
	for _, v := range []string{"1", "skip", "later", "2"} {
		in.Send("k", v)
	}
	out.Expect(kstest.KV("k", int64(1)))
	out.ExpectNone() // the task waits
	d.Advance(999 * time.Millisecond)
	if attempts != 1 {
		t.Errorf("%d attempts before the time of the second", attempts)
	}
	d.Advance(time.Millisecond)
	d.Advance(time.Second)
	letter := d.Output(dead).Next()
	if cause, _ := letter.Headers.Get("millrace.error.message"); letter.Value != "later" || !strings.Contains(string(cause), "invalid syntax") {
		t.Errorf("dead letter %+v", letter)
	}
	out.Expect(kstest.KV("k", int64(2)))
	if got := d.Dropped(); !maps.Equal(got, map[string]int{"skipped": 1}) {
		t.Errorf("dropped %v", got)
	}
	if n := len(d.Errors()); n != 4 {
		t.Errorf("%d errors, want that of skip and three of later", n)
	}
}

func TestWhatCannotBeDecodedIsAnError(t *testing.T) {
	d := kstest.New(t, shoutNumbers(), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Skip() }))
	in := d.Input(counts)
	in.SendBytes([]byte("k"), []byte("four"))
	in.SendBytes([]byte("k"), nil)
	in.SendBytes(nil, []byte{0, 0, 0, 0, 0, 0, 0, 4})
	if n := len(d.Errors()); n != 1 {
		t.Errorf("%d errors: %v, want one", n, d.Errors())
	}
	d.Output(loud).Expect(kstest.Deleted[string, string]("k"), kstest.KV("", "4").WithoutKey())
}

// shoutNumbers reads numbers.
func shoutNumbers() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, counts).MapValues(func(n int64) string { return fmt.Sprint(n) }).To(loud)
	return topology.Must(b.Build())
}

func TestDroppedRecordsAreCountedByReason(t *testing.T) {
	top, _ := wordCount()
	d := kstest.New(t, top)
	if got := d.Dropped(); len(got) != 0 {
		t.Errorf("dropped %v before anything was sent", got)
	}
	in := d.Input(lines)
	in.Delete("k")
	in.SendRecord(kstest.KV("", "a").WithoutKey())
	in.SendAt(time.UnixMilli(-1), "k", "too old")
	if got := d.Dropped(); got["negative-time"] != 1 {
		t.Errorf("dropped %v", got)
	}
}

func TestTheTimeOfAnInputDoesNotGoBackByItself(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := kstest.New(t, shout(), kstest.StartingAt(begin))
	in, out := d.Input(lines), d.Output(loud)
	want := func(what string, at time.Time) {
		t.Helper()
		if got := out.Next().Time; !got.Equal(at) {
			t.Errorf("%s: time %v, want %v", what, got.UTC(), at)
		}
	}
	in.Send("k", "v")
	want("at first", begin)
	in.SendAt(begin.Add(time.Hour), "k", "v")
	want("as given", begin.Add(time.Hour))
	d.Advance(time.Minute)
	in.Send("k", "v")
	want("after a later one", begin.Add(time.Hour))
	d.Advance(2 * time.Hour)
	in.Send("k", "v")
	want("after the clock moved on", begin.Add(2*time.Hour+time.Minute))
	in.SendAt(begin.Add(5*time.Hour), "k", "v")
	want("early, on purpose", begin.Add(5*time.Hour))
	in.SendAt(begin.Add(time.Second), "k", "v")
	want("late, on purpose", begin.Add(time.Second))
	d.Input(lines).Send("k", "v")
	want("by another handle", begin.Add(5*time.Hour))
	if got := d.Now(); !got.Equal(begin.Add(2*time.Hour + time.Minute)) {
		t.Errorf("the clock is at %v", got)
	}
}

func TestHeadersTravel(t *testing.T) {
	d := kstest.New(t, shout())
	d.Input(lines).SendRecord(topology.Record[string, string]{Key: "k", Value: "v", Headers: topology.Headers{}.With("h", []byte("x"))})
	if v, ok := d.Output(loud).Next().Headers.Get("h"); string(v) != "x" || !ok {
		t.Errorf("header %q, %v", v, ok)
	}
}

func TestInternalTopicsCanBeRead(t *testing.T) {
	top, _ := wordCount()
	d := kstest.New(t, top, kstest.ApplicationID("shop"))
	d.Input(lines).Send("", "a")
	d.Output(topology.NewTopic("shop-by-word-repartition", serde.String, serde.String)).Expect(kstest.KV("a", "a"))
	d.Output(topology.NewTopic("shop-word-counts-changelog", serde.String, serde.Int64)).Expect(kstest.KV("a", int64(1)))
}

func TestAPatternReadsTopicsAsTheyBegin(t *testing.T) {
	b := topology.NewBuilder()
	table := kstream.From(b, lines.Matching("lines-.*")).GroupByKey().Count("n")
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	d.Input(lines.Named("lines-a")).Send("k", "v")
	d.Input(lines.Named("lines-b")).Send("k", "v")
	d.Input(lines.Named("lines-a")).Send("k", "v")
	if n, _ := d.Table(table).Get("k"); n != 3 {
		t.Errorf("k = %d, want 3: what is stored stays when a topic is added", n)
	}

	// A new topic is a rebalance: what was done is committed before.
	b = topology.NewBuilder()
	kstream.From(b, lines.Matching("lines-.*")).To(loud)
	d = kstest.New(t, topology.Must(b.Build()), kstest.ManualCommit())
	d.Input(lines.Named("lines-a")).Send("k", "v")
	d.Output(loud).ExpectNone()
	d.Input(lines.Named("lines-b"))
	d.Output(loud).Expect(kstest.KV("k", "v"))

	watch(func(t testing.TB) {
		kstest.New(t, topology.Must(b.Build())).Input(lines)
	}).want(t, true, `the topology does not read topic "lines"`)
}

func TestRepartitionTopicsFollowWhatIsUpstream(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, lines).
		Repartition("seven", kstream.Partitions(7)).
		Repartition("as-many").
		Process("where", func(task *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
			return func(_ context.Context, r topology.Record[string, string]) error {
				p, _ := task.Source()
				out.Send(r.Key, fmt.Sprint(p.Topic, " ", task.ID()))
				return nil
			}
		}).To(loud)
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(2))
	seen := map[string]bool{}
	for i := range 100 {
		d.Input(lines).Send(fmt.Sprint(i), "")
		seen[d.Output(loud).Next().Value] = true
	}
	if len(seen) != 7 || !seen["app-as-many-repartition 2_6"] {
		t.Errorf("records went through %v, want 7 tasks", slices.Sorted(maps.Keys(seen)))
	}
}

// tasks sends on the ids of the tasks that see each record.
func tasks(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
	return func(_ context.Context, r topology.Record[string, string]) error {
		out.SendRecord(r.WithValue(t.ID().String()))
		return nil
	}
}

func TestARepartitionTopicWaitsForAllThatIsUpstream(t *testing.T) {
	b := topology.NewBuilder()
	first := kstream.From(b, lines) // subtopology 0 reads this, and what others write
	far := kstream.From(b, loud).Repartition("seven", kstream.Partitions(7)).Repartition("as-many")
	first.Merge(far).Repartition("last").Process("tasks", tasks).To(loud.Named("out"))
	d := kstest.New(t, topology.Must(b.Build()))
	seen := map[string]bool{}
	for i := range 100 {
		d.Input(lines).Send(fmt.Sprint(i), "")
		seen[d.Output(loud.Named("out")).Next().Value] = true
	}
	if len(seen) != 7 {
		t.Errorf("records went through %v, want 7 tasks", slices.Sorted(maps.Keys(seen)))
	}
}

func TestAChangelogHasAPartitionForEachTask(t *testing.T) {
	b := topology.NewBuilder()
	table := kstream.From(b, lines).Repartition("five", kstream.Partitions(5)).GroupByKey().Count("n")
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(2))
	for i := range 20 {
		d.Input(lines).Send(fmt.Sprint(i), "")
	}
	d.Crash()
	if n := d.Table(table).Len(); n != 20 {
		t.Errorf("%d rows came back, want 20", n)
	}
}

func TestRecordsWithoutAKeyGoToOnePartitionAfterTheOther(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("tasks", tasks).To(loud)
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	var got []string
	for range 4 {
		d.Input(lines).SendRecord(kstest.KV("", "").WithoutKey())
		got = append(got, d.Output(loud).Next().Value)
	}
	if want := []string{"0_0", "0_1", "0_2", "0_0"}; !slices.Equal(got, want) {
		t.Errorf("records went through %v, want %v", got, want)
	}
}

func TestTopicsThatMustBeCopartitionedAre(t *testing.T) {
	table := func(b *topology.Builder) ktable.Table[string, int64] { return ktable.From(b, counts, "counts") }
	b := topology.NewBuilder()
	kstream.From(b, lines).Repartition("five", kstream.Partitions(5)).
		JoinTable(table(b), func(s string, n int64) string { return fmt.Sprint(s, n) }).To(loud)
	top := topology.Must(b.Build())
	watch(func(t testing.TB) { kstest.New(t, top) }).want(t, true, "app-five-repartition", "5 partitions", "word-counts", "1 partitions")

	b = topology.NewBuilder()
	kstream.From(b, lines).Repartition("five", kstream.Partitions(5)).SelectKey(func(_, v string) string { return v }).
		Repartition("adopts").JoinTable(table(b), func(s string, n int64) string { return fmt.Sprint(s, n) }).To(loud)
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	for i := range 20 {
		d.Input(counts).Send(fmt.Sprint(i), int64(i))
		d.Input(lines).Send("", fmt.Sprint(i))
	}
	if n := len(d.Output(loud).Rest()); n != 20 {
		t.Errorf("%d records found their row, want 20", n)
	}
}

func TestATopologyThatFeedsItselfIsStopped(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, lines).To(lines)
	top := topology.Must(b.Build())
	watch(func(t testing.TB) { kstest.New(t, top).Input(lines).Send("k", "v") }).
		want(t, true, "no end: the topology seems to read what it writes")
	watch(func(t testing.TB) {
		d := kstest.New(t, top, kstest.ManualCommit())
		d.Input(lines).Send("k", "v")
		d.Commit()
	}).want(t, true, "no end: the topology seems to read what it writes")
}

func TestLinksNoClientAndNoDatabase(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/millrace-streams/millrace/internal/task") {
		t.Error("does not run the task of production")
	}
	for _, dep := range deps {
		if strings.Contains(dep, "franz-go") || strings.Contains(dep, "pebble") {
			t.Errorf("links %s", dep)
		}
	}
}
