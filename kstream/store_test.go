package kstream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var lastSeen = store.NewKeyValue("last-seen", serde.String, serde.String)

// dedup sends on what differs from the value last seen under its key, and forgets a key that is deleted.
func dedup(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
	seen := t.KeyValue(lastSeen)
	t.EveryWall(time.Minute, func(time.Time) error {
		for k, v := range seen.All() {
			out.Send(k, "still "+v)
		}
		return nil
	})
	return func(_ context.Context, r topology.Record[string, string]) error {
		if !r.HasValue() {
			seen.Delete(r.Key)
			return nil
		}
		if old, ok := seen.Get(r.Key); ok && old == r.Value {
			return nil
		}
		seen.Put(r.Key, r.Value)
		out.SendRecord(r)
		return nil
	}
}

func TestAProcessorsStoreSurvivesACrash(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, words).Process("dedup", dedup, lastSeen).To(out)
	d := kstest.New(t, topology.Must(b.Build()))
	in, o := d.Input(words), d.Output(out)
	in.Send("a", "x")
	in.Send("a", "x")
	in.Send("b", "y")
	d.Crash()
	in.Send("a", "x")
	in.Delete("b")
	in.Send("b", "y")
	d.Advance(time.Minute)
	o.Expect(kstest.KV("a", "x"), kstest.KV("b", "y"), kstest.KV("b", "y"), kstest.KV("a", "still x"), kstest.KV("b", "still y"))
	o.ExpectNone()
	row, _ := d.Store(lastSeen).GetRow("a")
	if row.Value != "x" {
		t.Errorf("row %+v", row)
	}
}

func TestTwoProcessorsShareAStore(t *testing.T) {
	shared := store.NewKeyValue("shared", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, words).Process("write", func(t *topology.Task, _ topology.Out[string, string]) topology.Handler[string, string] {
		s := t.KeyValue(shared)
		return func(_ context.Context, r topology.Record[string, string]) error { s.Put(r.Key, r.Value); return nil }
	}, shared)
	kstream.From(b, words.Named("ask")).ProcessValues("read", func(t *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
		s := t.KeyValue(shared)
		return func(_ context.Context, r topology.Record[string, string]) error {
			v, _ := s.Get(r.Key)
			out.Send(v)
			return nil
		}
	}, shared).To(out)
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	for _, k := range strings.Fields("a b c d") {
		d.Input(words).Send(k, k+k)
	}
	d.Input(words.Named("ask")).Send("c", "?")
	d.Output(out).Expect(kstest.KV("c", "cc"))
}

func TestAStoreThatWasNotGivenIsRefusedByName(t *testing.T) {
	defer func() {
		f, ok := recover().(record.Failure)
		if !ok || f.Node != 1 || !strings.Contains(f.Err.Error(), `"dedup"`) || !strings.Contains(f.Err.Error(), `"last-seen"`) {
			t.Errorf("%+v: want a failure that names the processor and the store", f)
		}
	}()
	wire(t, func(s kstream.Stream[string, string]) { s.Process("dedup", dedup) })
}

func ExampleStream_Process() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		Process("dedup", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
			seen := t.KeyValue(lastSeen)                                              // once per task
			return func(_ context.Context, r topology.Record[string, string]) error { // once per record
				if old, ok := seen.Get(r.Key); !ok || old != r.Value {
					seen.Put(r.Key, r.Value)
					out.SendRecord(r)
				}
				return nil
			}
		}, lastSeen).
		To(out)

	play(b, out, "a=x", "a=x", "b=x", "a=y")
	// Output:
	// a=x
	// b=x
	// a=y
}
