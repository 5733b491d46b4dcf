package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

var (
	wordLines = topology.NewTopic("words", serde.String, serde.String)
	batches   = topology.NewTopic("batches", serde.String, serde.String)
)

// batched sends each batch of at most three words as one record. Words that begin with "bad" fail the batch they fill; each
// record of the topic is split into words, so several of a record may be in several batches. What follows refuses "odd".
func batched() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, wordLines).FlatMapValues(strings.Fields).
		ProcessBatch("batch", 3, func(_ *topology.Task, out toText) topology.BatchHandler[string, string] {
			return func(_ context.Context, batch []topology.Record[string, string]) error {
				var all []string
				for _, r := range batch {
					all = append(all, r.Value)
				}
				if last := all[len(all)-1]; strings.HasPrefix(last, "bad") {
					return errors.New(last)
				}
				out.Send("", strings.Join(all, " "))
				return nil
			}
		}).
		TryMapValues(func(v string) (string, error) {
			if strings.HasSuffix(v, "odd") {
				return "", errors.New(v)
			}
			return v, nil
		}).To(batches)
	return topology.Must(b.Build())
}

func skipAll(*topology.RecordError) topology.Action { return topology.Skip() }

func TestABatchIsHandledWhenItIsFullAndAtACommit(t *testing.T) {
	d := kstest.New(t, batched(), kstest.ManualCommit())
	for _, v := range []string{"a", "b", "c d e f", "g"} {
		d.Input(wordLines).Send("", v)
	}
	d.Commit()
	expectBatches(t, d, "a b c", "d e f", "g")
	d.Commit()
	expectBatches(t, d)
}

func TestARecordThatIsSkippedLeavesTheOthersOfItsBatch(t *testing.T) {
	d := kstest.New(t, batched(), kstest.ManualCommit(), kstest.OnError(skipAll))
	for _, v := range []string{"a", "b", "bad", "c", "d", "e odd", "f", "g"} {
		d.Input(wordLines).Send("", v)
	}
	d.Commit()
	expectBatches(t, d, "a b c", "d f g")
}

func TestABatchThatFailsAtACommitEndsTheApp(t *testing.T) {
	d := kstest.New(t, batched(), kstest.ManualCommit(), kstest.OnError(skipAll))
	d.Input(wordLines).Send("", "bad")
	d.Commit()
	if err := d.Stopped(); err == nil || !strings.Contains(err.Error(), "bad") || !strings.Contains(err.Error(), "batch") {
		t.Errorf("stopped: %v", err)
	}
}

func TestABatchOfACrashedTransactionIsHandledAgain(t *testing.T) {
	d := kstest.New(t, batched(), kstest.ManualCommit())
	d.Input(wordLines).Send("", "a b c d")
	d.Crash()
	d.Input(wordLines).Send("", "e")
	d.Commit()
	expectBatches(t, d, "a b c", "d e")
}

// What is skipped is as if it had never come, wherever batches end.
func TestSkippedRecordsLeaveNoTraceInBatches(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		d := kstest.New(t, batched(), kstest.ManualCommit(), kstest.OnError(skipAll))
		in := d.Input(wordLines)
		var waiting, want []string
		var log []string
		for n := range 40 {
			var fields []string
			for i := range 1 + rng.IntN(8) {
				fields = append(fields, fmt.Sprint([]string{"w", "w", "w", "w", "w", "w", "bad", "w-"}[rng.IntN(8)], n, ".", i))
			}
			for i, f := range fields {
				if strings.HasPrefix(f, "w-") {
					fields[i] = f + "odd"
				}
			}
			log = append(log, strings.Join(fields, " "))
			in.Send("", strings.Join(fields, " "))
			now, sent, failed := slices.Clone(waiting), []string(nil), false
			for _, f := range fields {
				if now = append(now, f); len(now) == 3 {
					failed = failed || strings.HasPrefix(f, "bad") || strings.HasSuffix(f, "odd")
					sent = append(sent, strings.Join(now, " "))
					now = nil
				}
			}
			if !failed {
				waiting, want = now, append(want, sent...)
			}
			if last := len(waiting) - 1; rng.IntN(6) == 0 && (last < 0 || strings.HasPrefix(waiting[last], "w") && !strings.HasSuffix(waiting[last], "odd")) {
				d.Commit()
				log = append(log, "commit")
				if last >= 0 {
					want = append(want, strings.Join(waiting, " "))
				}
				waiting = nil
			}
		}
		var got []string
		for _, r := range d.Output(batches).Rest() {
			got = append(got, r.Value)
		}
		if len(want) < len(got) || !slices.Equal(got, want[:len(got)]) || d.Stopped() != nil {
			t.Fatalf("seed %d:\ngot  %q\nwant %q\nof %q\nstopped: %v", seed, got, want, log, d.Stopped())
		}
	}
}

func TestABatchOfNoRecordsIsAMistake(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, wordLines).ProcessBatch("p", 0, func(*topology.Task, toText) topology.BatchHandler[string, string] {
		return func(context.Context, []topology.Record[string, string]) error { return nil }
	})
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), `ProcessBatch("p"): batches of at most 0 records`) {
		t.Errorf("got %v", err)
	}
}

func expectBatches(t *testing.T, d *kstest.Driver, want ...string) {
	t.Helper()
	var got []string
	for _, r := range d.Output(batches).Rest() {
		got = append(got, r.Value)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
