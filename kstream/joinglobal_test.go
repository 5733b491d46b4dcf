package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	globalStream = topology.NewTopic("s", serde.String, serde.String)
	globalRows   = globalStream.Named("g")
	globalOut    = globalStream.Named("out")
)

func beforeColon(_, v string) (string, bool) {
	k, _, ok := strings.Cut(v, ":")
	return k, ok
}

func orNone(v string, ok bool) string {
	if !ok {
		return "∅"
	}
	return v
}

// global runs steps written topic:key=value@time, "-" for null, and returns what came out of topic out, as step:key=value@time.
func global(t *testing.T, build func(b *topology.Builder), steps ...string) (got []string, d *kstest.Driver) {
	t.Helper()
	b := topology.NewBuilder()
	build(b)
	d = kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	out := d.Output(globalOut)
	for i, s := range steps {
		topic, rest, _ := strings.Cut(s, ":")
		kv, at, _ := strings.Cut(rest, "@")
		k, v, _ := strings.Cut(kv, "=")
		var ms int64
		_, _ = fmt.Sscan(at, &ms) // without a time it is 0
		r := topology.Record[string, string]{Key: k, Value: v, Time: time.UnixMilli(ms)}
		if v == "-" {
			r = r.WithoutValue()
		}
		if k == "-" {
			r = r.WithoutKey()
		}
		d.Input(globalStream.Named(topic)).SendRecord(r)
		for _, r := range out.Rest() {
			k := r.Key
			if !r.HasKey() {
				k = "-"
			}
			got = append(got, fmt.Sprintf("%d:%s=%s@%d", i, k, r.Value, r.Time.UnixMilli()))
		}
	}
	return got, d
}

// What both are piped, and what Kafka Streams makes of it.
var globalSteps = []string{"g:a=g1@100", "s:k=a:1@10", "s:k=b:2@11", "g:b=g2@1", "s:k=b:3@12", "g:a=-@200", "s:k=a:4@13", "s:k=nocolon@14", "s:-=b:5@15", "s:k=-@16", "g:-=x@17"}

func wantSteps(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestJoinsWithAGlobalTableAreThoseOfKafkaStreams(t *testing.T) {
	got, d := global(t, func(b *topology.Builder) {
		g := ktable.GlobalFrom(b, globalRows, "gs")
		kstream.From(b, globalStream).JoinGlobal(g, beforeColon, func(v, g string) string { return v + "|" + g }).To(globalOut)
	}, globalSteps...)
	wantSteps(t, got, "1:k=a:1|g1@10", "4:k=b:3|g2@12", "8:-=b:5|g2@15")
	if want := map[string]int{"null-key": 2, "null-value": 1}; !maps.Equal(d.Dropped(), want) {
		t.Errorf("dropped %v, want %v", d.Dropped(), want)
	}
	got, d = global(t, func(b *topology.Builder) {
		g := ktable.GlobalFrom(b, globalRows, "gs")
		kstream.From(b, globalStream).LeftJoinGlobal(g, beforeColon, func(v, g string, ok bool) string { return v + "|" + orNone(g, ok) }).To(globalOut)
	}, globalSteps...)
	wantSteps(t, got, "1:k=a:1|g1@10", "2:k=b:2|∅@11", "4:k=b:3|g2@12", "6:k=a:4|∅@13", "7:k=nocolon|∅@14", "8:-=b:5|g2@15")
	if want := map[string]int{"null-key": 1, "null-value": 1}; !maps.Equal(d.Dropped(), want) {
		t.Errorf("dropped %v, want %v", d.Dropped(), want)
	}
}

// TestAProcessorReadsAGlobalTable whatever task it is in, and sees it change.
func TestAProcessorReadsAGlobalTable(t *testing.T) {
	got, d := global(t, func(b *topology.Builder) {
		g := ktable.GlobalFrom(b, globalRows, "gs")
		kstream.From(b, globalStream).Process("list", func(task *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
			rows := task.Global(g.Store())
			return func(_ context.Context, r topology.Record[string, string]) error {
				s := fmt.Sprint(rows.Len())
				for k, v := range rows.All() {
					row, _ := rows.GetRow(k)
					s += fmt.Sprintf(" %s=%s@%d", k, v, row.Time.UnixMilli())
				}
				out.Send(r.Key, s)
				return nil
			}
		}).To(globalOut)
	}, "g:a=1@5", "g:b=2@6", "s:x=?@1", "g:a=3@2", "s:y=?@2", "g:b=-@9", "s:z=?@3")
	wantSteps(t, got, "2:x=2 a=1@5 b=2@6@1", "4:y=2 a=3@2 b=2@6@2", "6:z=1 a=3@2@3")
	d.Crash()
	d.Input(globalStream).SendAt(time.UnixMilli(9), "x", "?")
	if got := d.Output(globalOut).Next().Value; got != "1 a=3@2" {
		t.Errorf("after a crash %q", got)
	}
}

// TestAGlobalTableIsReadOnly, and is not to be listed as a processor's own store.
func TestAGlobalTableIsReadOnly(t *testing.T) {
	b := topology.NewBuilder()
	g := ktable.GlobalFrom(b, globalRows, "gs")
	pass := func(*topology.Task, topology.Out[string, string]) topology.Handler[string, string] {
		return func(context.Context, topology.Record[string, string]) error { return nil }
	}
	kstream.From(b, globalStream).Process("p", pass, g.Store())
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), `store "gs" is that of a global table`) {
		t.Errorf("got %v", err)
	}
}

func TestWhatAGlobalTableCannotBe(t *testing.T) {
	for want, build := range map[string]func(b *topology.Builder){
		"is that of one topic":        func(b *topology.Builder) { ktable.GlobalFrom(b, globalRows.Matching("g.*"), "x") },
		"leave StartAt out":           func(b *topology.Builder) { ktable.GlobalFrom(b, globalRows.StartAt(topology.Latest()), "x") },
		"leave store.NoChangelog out": func(b *topology.Builder) { ktable.GlobalFrom(b, globalRows, "x", store.NoChangelog()) },
		`topic "s" is also read`:      func(b *topology.Builder) { ktable.GlobalFrom(b, globalStream, "x") },
		`topic "g" is also read`: func(b *topology.Builder) {
			ktable.GlobalFrom(b, globalRows, "x")
			ktable.GlobalFrom(b, globalRows, "y")
		},
		`store "t" already used`: func(b *topology.Builder) { ktable.GlobalFrom(b, globalRows, "t") },
		"the other side belongs to another": func(b *topology.Builder) {
			g := ktable.GlobalFrom(topology.NewBuilder(), globalRows, "x")
			kstream.From(b, globalStream).JoinGlobal(g, beforeColon, func(a, b string) string { return a })
		},
	} {
		b := topology.NewBuilder()
		ktable.From(b, globalStream, "t").To(globalOut)
		build(b)
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	b := topology.NewBuilder()
	ktable.GlobalFrom(b, globalRows, "x")
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "nothing is read") {
		t.Errorf("got %v", err)
	}
}

// TestABadRecordOfAGlobalTableIsJudged: skipped if the policy says so; else the app ends, since there is nothing to roll back.
func TestABadRecordOfAGlobalTableIsJudged(t *testing.T) {
	numbers := topology.NewTopic("g", serde.String, serde.Int64)
	for action, stops := range map[topology.Action]bool{topology.Skip(): false, topology.Fail(): true, topology.DeadLetter("dead"): true, topology.Retry(time.Second): true} {
		b := topology.NewBuilder()
		g := ktable.GlobalFrom(b, numbers, "gs")
		kstream.From(b, globalStream).JoinGlobal(g, func(k, _ string) (string, bool) { return k, true }, func(v string, n int64) string { return fmt.Sprint(v, n) }).To(globalOut)
		d := kstest.New(t, topology.Must(b.Build()), kstest.OnError(func(*topology.RecordError) topology.Action { return action }))
		d.Input(numbers).Send("k", 7)
		d.Input(numbers).SendBytes([]byte("k"), []byte("seven"))
		var re *topology.RecordError
		if errors.As(d.Stopped(), &re) != stops || len(d.Errors()) != 1 || d.Errors()[0].Offset != 1 || d.Errors()[0].Topic != "g" {
			t.Errorf("%v: stopped with %v, asked about %v", action, d.Stopped(), d.Errors())
		}
		if !stops {
			d.Input(globalStream).Send("k", "v")
			d.Output(globalOut).Expect(kstest.KV("k", "v7"))
			if d.Dropped()["skipped"] != 1 {
				t.Errorf("dropped %v", d.Dropped())
			}
		}
	}
}

// TestAGlobalTableMayBeWrittenByTheAppItself: what a task sends to its topic is seen once it is committed.
func TestAGlobalTableMayBeWrittenByTheAppItself(t *testing.T) {
	got, _ := global(t, func(b *topology.Builder) {
		g := ktable.GlobalFrom(b, globalRows, "gs")
		s := kstream.From(b, globalStream)
		s.LeftJoinGlobal(g, func(k, _ string) (string, bool) { return k, true }, func(v, g string, ok bool) string { return v + "|" + orNone(g, ok) }).To(globalOut)
		s.To(globalRows)
	}, "s:k=1@1", "s:k=2@2", "s:k=3@3")
	wantSteps(t, got, "0:k=1|∅@1", "1:k=2|1@2", "2:k=3|2@3")
}

// TestAGlobalTableIsNoPartOfASubtopology: it brings no task, and two subtopologies may read one.
func TestAGlobalTableIsNoPartOfASubtopology(t *testing.T) {
	b := topology.NewBuilder()
	g := ktable.GlobalFrom(b, globalRows, "gs")
	join := func(v, g string) string { return v + g }
	kstream.From(b, globalStream).JoinGlobal(g, beforeColon, join).To(globalOut)
	kstream.From(b, globalStream.Named("s2")).JoinGlobal(g, beforeColon, join).To(globalOut)
	top := topology.Must(b.Build())
	d := top.Describe()
	if len(d.Subtopologies) != 2 || len(d.Globals) != 1 || d.Globals[0].Topics[0] != "g" || d.Globals[0].Stores[0] != "gs" {
		t.Errorf("described as %+v", d)
	}
	if s := top.String(); !strings.Contains(s, "   Sub-topology: 2 for global store (will not generate tasks)\n    Source: gs (topics: [g], stores: [gs])\n") {
		t.Errorf("described as\n%s", s)
	}
}
