package kstest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

func TestEveryStepCanBeWrapped(t *testing.T) {
	b := topology.NewBuilder()
	in := topology.NewTopic("in", serde.String, serde.String)
	out := topology.NewTopic("out", serde.String, serde.Int64)
	kstream.From(b, in).Filter(func(_, v string) bool { return v != "" }).MapValues(strings.ToUpper).
		GroupBy("by-value", func(_, v string) string { return v }).Count("count", store.NoCache()).To(out)
	var seen []string
	depth := 0
	d := kstest.New(t, topology.Must(b.Build()), kstest.Around(func(s topology.Step) func(context.Context, topology.Handling, func()) error {
		return func(_ context.Context, h topology.Handling, handle func()) error {
			seen = append(seen, fmt.Sprintf("%s%s %s %s", strings.Repeat(" ", depth), s.Task, s.Kind, h.Position))
			depth++
			defer func() { depth-- }()
			handle()
			return nil
		}
	}))
	d.Input(in).Send("k", "a")
	want := []string{
		"0_0 source in/0@0", " 0_0 filter in/0@0", "  0_0 map-values in/0@0", "   0_0 select-key in/0@0", "    0_0 sink in/0@0",
		"1_0 source app-by-value-repartition/0@0", " 1_0 count app-by-value-repartition/0@0", "  1_0 sink app-by-value-repartition/0@0",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
	if got := d.Output(out).Rest(); len(got) != 1 || got[0].Value != 1 {
		t.Errorf("got %v", got)
	}
}

func TestAWrapperMayFailAStepOrLeaveItOut(t *testing.T) {
	b := topology.NewBuilder()
	in := topology.NewTopic("in", serde.String, serde.String)
	kstream.From(b, in).MapValues(strings.ToUpper).As("shout").To(in.Named("out"))
	down := errors.New("the line is down")
	var judged *topology.RecordError
	d := kstest.New(t, topology.Must(b.Build()),
		kstest.OnError(func(e *topology.RecordError) topology.Action { judged = e; return topology.Skip() }),
		kstest.Around(func(s topology.Step) func(context.Context, topology.Handling, func()) error {
			if s.Name != "shout" {
				return nil
			}
			return func(_ context.Context, h topology.Handling, handle func()) error {
				switch h.Offset {
				case 0:
					handle()
				case 1:
					return down
				}
				return nil
			}
		}))
	for _, v := range []string{"a", "b", "c"} {
		d.Input(in).Send("k", v)
	}
	if got := d.Output(in.Named("out")).Rest(); len(got) != 1 || got[0].Value != "A" {
		t.Errorf("got %v, want only the first", got)
	}
	if judged == nil || !errors.Is(judged, down) || judged.Node != "shout" || judged.Offset != 1 {
		t.Errorf("judged: %v", judged)
	}
}
