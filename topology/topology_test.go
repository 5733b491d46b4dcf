package topology_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

func build(t *testing.T, program func(b *topology.Builder)) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder()
	program(b)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestEachBuildErrorIsTyped(t *testing.T) {
	b := topology.NewBuilder()
	programs["names"](b)
	_, err := b.Build()
	var be *topology.BuildError
	if !errors.As(err, &be) {
		t.Fatalf("%v is no *BuildError", err)
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		if be, ok := e.(*topology.BuildError); !ok || be.At == "" || be.Err == nil {
			t.Errorf("%#v: want a *BuildError with a place", e)
		}
	}
}

func TestVerbsAfterBuildPanicAndTheTopologyStays(t *testing.T) {
	b := topology.NewBuilder()
	s := kstream.From(b, lines)
	top := topology.Must(b.Build())
	before := top.String()
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "topology_test.go:") || !strings.Contains(p, "after Build") {
			t.Errorf("panic %q: want the place and the reason", p)
		}
		if again := topology.Must(b.Build()); again != top || again.String() != before {
			t.Errorf("the topology changed to\n%s", again)
		}
	}()
	s.To(lines.Named("late"))
}

func TestAZeroHandlePanicsWithThePlace(t *testing.T) {
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "topology_test.go:") {
			t.Errorf("panic %q: want the place", p)
		}
	}()
	var s kstream.Stream[string, string]
	s.MapValues(upper)
}

func TestVerbsHandedToThenHaveTheCallersLine(t *testing.T) {
	top := build(t, func(b *topology.Builder) {
		shout := func(s kstream.Stream[string, string]) kstream.Stream[string, string] { return s.MapValues(upper) } // line A
		kstream.From(b, lines).Then(shout).Then(kstream.Stream[string, string].DropDeletes)                          // line B
	})
	nodes := top.Describe().Subtopologies[0].Nodes
	line := func(i int) (n int) {
		if _, err := fmt.Sscanf(nodes[i].At, "topology_test.go:%d", &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b := line(1), line(2); a == 0 || b != a+1 || line(0) != b {
		t.Errorf("lines %d, %d, %d: want B, A, B", line(0), line(1), line(2))
	}
}

func TestFingerprintsDependOnTheirPartOnly(t *testing.T) {
	prints := func(program func(b *topology.Builder)) (p []string) {
		for _, s := range build(t, program).Describe().Subtopologies {
			p = append(p, s.Fingerprint)
		}
		return p
	}
	part := func(b *topology.Builder) {
		kstream.From(b, lines).Filter(long).Process("watch", remember, seen).To(lines.Named("out"))
	}
	base := prints(part)[0]
	moved := prints(func(b *topology.Builder) {
		kstream.From(b, lines.Named("first")).MapValues(upper).ForEach(func(_, _ string) {})
		part(b)
	})
	if moved[1] != base {
		t.Error("the fingerprint changes with steps of another part")
	}
	for name, program := range map[string]func(b *topology.Builder){
		"a step": func(b *topology.Builder) {
			kstream.From(b, lines).FilterNot(long).Process("watch", remember, seen).To(lines.Named("out"))
		},
		"a name": func(b *topology.Builder) {
			kstream.From(b, lines).Filter(long).Process("look", remember, seen).To(lines.Named("out"))
		},
		"a store": func(b *topology.Builder) {
			kstream.From(b, lines).Filter(long).Process("watch", remember).To(lines.Named("out"))
		},
		"a topic": func(b *topology.Builder) {
			kstream.From(b, lines).Filter(long).Process("watch", remember, seen).To(lines.Named("in"))
		},
		"a source": func(b *topology.Builder) {
			kstream.From(b, lines.AndNamed("x")).Filter(long).Process("watch", remember, seen).To(lines.Named("out"))
		},
		"an edge": func(b *topology.Builder) {
			s := kstream.From(b, lines)
			p := s.Filter(long).Process("watch", remember, seen)
			_ = p
			s.To(lines.Named("out"))
		},
	} {
		if prints(program)[0] == base {
			t.Errorf("the fingerprint stays when %s changes", name)
		}
	}
}

func TestDiffListsWhatLosesStateFirst(t *testing.T) {
	gone := store.NewKeyValue("gone", serde.String, serde.Int64)
	old := build(t, func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.Process("a", remember, gone, store.NewKeyValue("quiet", serde.String, serde.Int64)).Repartition("r1").To(lines.Named("out"))
		s.Repartition("same").Repartition("grows", kstream.Partitions(2)).ForEach(func(_, _ string) {})
		kstream.From(b, lines.Named("dropped")).ForEach(func(_, _ string) {})
	})
	now := build(t, func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.Process("b", remember, seen, store.NewKeyValue("quiet", serde.String, serde.Int64, store.NoChangelog())).Repartition("r2").To(lines.Named("out2"))
		s.MapValues(upper).Repartition("same").Repartition("grows", kstream.Partitions(4)).ForEach(func(_, _ string) {})
		kstream.From(b, lines.Named("added")).ForEach(func(_, _ string) {})
	})
	want := []topology.Change{
		{Kind: "repartition changed", Name: "grows", LosesState: true},
		{Kind: "repartition removed", Name: "r1", LosesState: true},
		{Kind: "store removed", Name: "gone", LosesState: true},
		{Kind: "changelog dropped", Name: "quiet"},
		{Kind: "output no longer written", Name: "out"},
		{Kind: "output written", Name: "out2"},
		{Kind: "repartition added", Name: "r2"},
		{Kind: "store added", Name: "seen"},
		{Kind: "topic no longer read", Name: "dropped"},
		{Kind: "topic read", Name: "added"},
	}
	if got := now.Diff(old); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := now.Diff(now); len(got) != 0 {
		t.Errorf("a topology differs from itself: %v", got)
	}
}

func TestMustPanicsWithTheError(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	topology.Must(topology.NewBuilder().Build())
}

func TestRecordsSayWhatTheyLack(t *testing.T) {
	r := topology.Record[string, int64]{Key: "k", Value: 1}
	if !r.HasKey() || !r.HasValue() {
		t.Error("a literal lacks something")
	}
	d := r.WithoutValue().WithoutKey()
	if d.HasKey() || d.HasValue() || d.Key != "" || d.Value != 0 {
		t.Errorf("%+v: want neither key nor value", d)
	}
	if e := d.WithKey(int64(7)); !e.HasKey() || e.HasValue() {
		t.Errorf("%+v: want a key only", e)
	}
	if e := d.WithValue("v"); e.HasKey() || !e.HasValue() {
		t.Errorf("%+v: want a value only", e)
	}
}

func TestHeadersAreNeverChangedInPlace(t *testing.T) {
	h := make(topology.Headers, 0, 8).With("a", []byte("1")).With("b", nil)
	more, fewer := h.With("a", []byte("2")), h.Without("a")
	if v, ok := h.Get("a"); !ok || string(v) != "1" {
		t.Errorf("a = %q, %v in the original", v, ok)
	}
	if v, _ := more.Get("a"); string(v) != "2" {
		t.Errorf("a = %q, want the last", v)
	}
	if v, ok := fewer.Get("a"); ok {
		t.Errorf("a = %q after Without", v)
	}
	if v, ok := fewer.Get("b"); !ok || v != nil {
		t.Errorf("b = %q, %v; want null", v, ok)
	}
	one, other := h.With("x", nil), h.With("y", nil)
	if one[2].Key != "x" || other[2].Key != "y" {
		t.Error("two copies share memory")
	}
}

func TestTopicSettingsReachTheSource(t *testing.T) {
	skip := func(*topology.RecordError) topology.Action { return topology.Skip() }
	top := build(t, func(b *topology.Builder) {
		kstream.From(b, lines.StartAt(topology.Ago(time.Hour)).OnError(skip).TimeFrom(func(r topology.Record[string, string]) time.Time {
			if !r.HasValue() {
				return r.Time
			}
			return time.UnixMilli(int64(len(r.Value)) - 2)
		}))
	})
	s := top.Subs[0].Sources[0].Source
	if got := topology.Start(s.Start); got.String() != "1h0m0s ago" || s.Policy == nil {
		t.Errorf("start %v, policy %v", got, s.Policy)
	}
	for value, want := range map[string]int64{"": 9, "abc": 1} {
		in := &record.In{Time: 9, Value: []byte(value)}
		if value == "" {
			in.Value = nil
		}
		if got, err := s.Time("lines", 0, in, -1); got != want || err != nil {
			t.Errorf("time of %q = %d, %v; want %d", value, got, err, want)
		}
	}
	if _, err := s.Time("lines", 0, &record.In{Value: []byte("x")}, -1); err == nil {
		t.Error("a time before 1970 is taken")
	}
}

func TestUndecodableRecordsFailWithTheirTopicAndHalf(t *testing.T) {
	top := build(t, func(b *topology.Builder) { kstream.From(b, counts).ForEach(func(string, int64) {}) })
	r := wiretest.New(t, top, 0, nil)
	f := r.Feed("counts", record.In{Key: []byte("k"), Value: []byte("short")})
	var de *topology.DecodeError
	if f == nil || !errors.As(f.Err, &de) || de.Topic != "counts" || de.Part != serde.Value || f.Node != 0 {
		t.Fatalf("%+v: want a DecodeError of the value at node 0", f)
	}
}
