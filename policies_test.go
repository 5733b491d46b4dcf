package millrace_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// numbers parses values and doubles them; what is no number fails.
func numbers() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, texts).
		TryMapValues(strconv.Atoi).
		MapValues(func(n int) string { return fmt.Sprint(2 * n) }).
		WithValueSerde(serde.String).
		To(texts.Named("out"))
	return topology.Must(b.Build())
}

func TestFailedRecordEndsTheAppAndCommitsNothingOfIt(t *testing.T) {
	w := newWorld(t, "in", "out")
	w.send(record("k", "1"), record("k", "no number"), record("k", "3"))
	err := w.fails(numbers(), w.config())
	var re *topology.RecordError
	if !errors.As(err, &re) {
		t.Fatalf("%v", err)
	}
	if re.Topic != "in" || re.Offset != 1 || string(re.Value) != "no number" || re.Node == "" {
		t.Errorf("%+v", re)
	}
	says(t, err, "in/", "@1", "policies_test.go:", "no number")
	offsets, ferr := w.adm.FetchOffsets(t.Context(), "app")
	if ferr != nil {
		t.Fatal(ferr)
	}
	for _, part := range []int32{0, 1} {
		if o, ok := offsets.Lookup("in", part); ok && o.At > 1 {
			t.Errorf("partition %d: offset %d is committed, the record at 1 was not processed", part, o.At)
		}
	}
}

func TestSkippedRecordLeavesNothingAndTheOthersGoOn(t *testing.T) {
	w := newWorld(t, "in", "out")
	w.send(record("k", "1"), record("k", "no number"), record("k", "3"))
	c := w.config()
	var asked atomic.Int32
	c.OnError = func(e *topology.RecordError) topology.Action { asked.Add(1); return topology.Skip() }
	app, end := w.run(numbers(), c)
	recs := w.read("out", 2)
	if got := fmt.Sprintf("%s %s", recs[0].Value, recs[1].Value); got != "2 6" {
		t.Errorf("out: %s, want 2 6", got)
	}
	var dropped int64
	for d, n := range app.Dropped() {
		if d.Reason == "skipped" {
			dropped += n
		}
	}
	if dropped != 1 {
		t.Errorf("dropped %v, want one skipped", app.Dropped())
	}
	if asked.Load() != 1 {
		t.Errorf("the policy was asked %d times", asked.Load())
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestDeadLetterCarriesTheBytesAndWhatFailed(t *testing.T) {
	w := newWorld(t, "in", "out", "dead")
	c := w.config()
	c.OnError = func(*topology.RecordError) topology.Action { return topology.DeadLetter("dead") }
	w.send(record("k", "1"), record("k", "no number"), record("k", "3"))
	_, end := w.run(numbers(), c)
	dead := w.read("dead", 1)[0]
	if string(dead.Key) != "k" || string(dead.Value) != "no number" {
		t.Errorf("dead letter %s=%s", dead.Key, dead.Value)
	}
	headers := map[string]string{}
	for _, h := range dead.Headers {
		headers[h.Key] = string(h.Value)
	}
	for k, v := range map[string]string{"millrace.error.topic": "in", "millrace.error.offset": "1"} {
		if headers[k] != v {
			t.Errorf("header %s=%q, want %q", k, headers[k], v)
		}
	}
	w.read("out", 2)
	if err := end(); err != nil {
		t.Error(err)
	}
}

// A record too large for the broker vetoes its transaction. After the abort the source record is processed again and its policy
// decides; all others are there once.
func TestRecordTheBrokerRefusesGoesToThePolicy(t *testing.T) {
	w := newWorld(t, "in", "out", "dead")
	b := topology.NewBuilder()
	kstream.From(b, texts).MapValues(func(s string) string {
		if s == "grow" {
			return string(bytes.Repeat([]byte("x"), 3<<20))
		}
		return s
	}).To(texts.Named("out"))
	c := w.config()
	c.OnError = func(*topology.RecordError) topology.Action { return topology.DeadLetter("dead") }
	for i := range 20 {
		v := fmt.Sprint(i)
		if i == 7 {
			v = "grow"
		}
		w.send(record("k", v))
	}
	_, end := w.run(topology.Must(b.Build()), c)
	if dead := w.read("dead", 1); string(dead[0].Value) != "grow" {
		t.Errorf("dead letter %s", dead[0].Value)
	}
	got := w.read("out", 19)
	seen := map[string]int{}
	for _, r := range got {
		seen[string(r.Value)]++
	}
	if len(got) != 19 || len(seen) != 19 {
		t.Errorf("%d records, %d different: %v", len(got), len(seen), seen)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestUndecodableRecordNamesItsPositionAndBytes(t *testing.T) {
	w := newWorld(t, "in", "out")
	b := topology.NewBuilder()
	in := topology.NewTopic("in", serde.String, serde.Int64)
	kstream.From(b, in).To(in.Named("out"))
	w.send(record("k", "abc"))
	err := w.fails(topology.Must(b.Build()), w.config())
	var re *topology.RecordError
	if !errors.As(err, &re) || string(re.Value) != "abc" || re.Offset != 0 {
		t.Fatalf("%v", err)
	}
	says(t, err, "8 bytes", "3")
}

func TestRetryProcessesTheRecordAgain(t *testing.T) {
	w := newWorld(t, "in", "out")
	var tries atomic.Int32
	b := topology.NewBuilder()
	kstream.From(b, texts).TryMapValues(func(s string) (string, error) {
		if tries.Add(1) < 3 {
			return "", errors.New("not yet")
		}
		return s, nil
	}).WithValueSerde(serde.String).To(texts.Named("out"))
	c := w.config()
	c.OnError = func(*topology.RecordError) topology.Action { return topology.Retry(10 * time.Millisecond) }
	w.send(record("k", "v"))
	_, end := w.run(topology.Must(b.Build()), c)
	w.read("out", 1)
	if tries.Load() != 3 {
		t.Errorf("%d tries", tries.Load())
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Under every guarantee an undisturbed app counts every record once, also over a restart.
func TestCountsGoOnAfterARestartUnderEveryGuarantee(t *testing.T) {
	for _, g := range []millrace.Guarantee{millrace.ExactlyOnce, millrace.AtLeastOnce, millrace.AtMostOnce} {
		t.Run(g.String(), func(t *testing.T) {
			w := newWorld(t, "in", "out")
			c := w.config()
			c.Guarantee = g
			for round := range 3 {
				for range 10 {
					w.send(record("k", "v"))
				}
				_, end := w.run(countTo("out"), c)
				w.awaitCount("k", int64(10*(round+1)))
				if err := end(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// awaitCount reads out until a key's count is n, and fails if it ever goes beyond.
func (w *world) awaitCount(key string, n int64) {
	w.t.Helper()
	cl := w.client(kgo.ConsumeTopics("out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	var last int64
	for last < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatalf("%s counts to %d, want %d", key, last, n)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == key {
				last = int64(binary.BigEndian.Uint64(r.Value))
			}
		})
	}
	if last > n {
		w.t.Errorf("%s counts to %d, want %d", key, last, n)
	}
}

// The group's offsets are gone but the state is not: counting from the start would count twice.
func TestLostOffsetsAreAnErrorNotARecount(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	w.send(record("k", "v"))
	_, end := w.run(countTo("out"), c)
	w.awaitCount("k", 1)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.adm.DeleteGroup(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	err := w.fails(countTo("out"), c)
	if !errors.Is(err, millrace.ErrOffsetsLost) {
		t.Fatalf("%v", err)
	}
	says(t, err, "counts", "app", "reset")
}

// A lost directory is no lost state.
func TestStateComesBackFromTheChangelog(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	for range 5 {
		w.send(record("k", "v"))
	}
	_, end := w.run(countTo("out"), c)
	w.awaitCount("k", 5)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	c.StateDir += "-new"
	var replayed atomic.Int64
	c.Events = &millrace.Events{Restoring: func(r millrace.RestoreInfo) {
		if r.Done {
			replayed.Add(r.Records)
		}
	}}
	w.send(record("k", "v"))
	_, end = w.run(countTo("out"), c)
	w.awaitCount("k", 6)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if replayed.Load() == 0 {
		t.Error("nothing was replayed")
	}
}

// Latest is resolved once: what comes between two starts of the app is not skipped.
func TestStartAtLatestIsCommittedBeforeTheFirstRecord(t *testing.T) {
	w := newWorld(t, "in", "out")
	b := topology.NewBuilder()
	kstream.From(b, texts.StartAt(topology.Latest())).To(texts.Named("out"))
	top := topology.Must(b.Build())
	w.send(record("k", "before"))
	app, end := w.run(top, w.config())
	w.running(app)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	w.send(record("k", "between"))
	_, end = w.run(top, w.config())
	if got := w.read("out", 1); string(got[0].Value) != "between" {
		t.Errorf("first record %q, want between", got[0].Value)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
