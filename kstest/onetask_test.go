package kstest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// With OneTask a repartition topic waits for its turn in event time beside all other topics, under one stream time.
func ExampleOneTask() {
	in := topology.NewTopic("in", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, in).SelectKey(func(_, v string) string { return v }).Repartition("by-value", kstream.Partitions(3)).
		GroupByKey().Count("counts")

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.OneTask())
	d.Input(in).Send("k", "v")
	fmt.Println(d.Topics())
	// Output: [app-by-value-repartition app-counts-changelog in]
}

func TestOneTaskHasOneStreamTime(t *testing.T) {
	in := topology.NewTopic("in", serde.String, serde.String)
	out := in.Named("out")
	times := func(opts ...kstest.Option) string {
		b := topology.NewBuilder()
		direct := kstream.From(b, in)
		through := kstream.From(b, in.Named("other")).Repartition("r")
		through.MapValues(func(v string) string { return v }).Merge(direct.Repartition("s")).To(out)
		d := kstest.New(t, topology.Must(b.Build()), opts...)
		d.Input(in).SendAt(time.UnixMilli(5), "k", "in")
		d.Input(in.Named("other")).SendAt(time.UnixMilli(3), "k", "other")
		s := ""
		for _, r := range d.Output(out).Rest() {
			s += fmt.Sprint(r.Value, r.Time.UnixMilli(), " ")
		}
		return s
	}
	if got := times(kstest.OneTask()); got != "in5 other3 " {
		t.Errorf("got %q", got)
	}
}

func TestOneTaskIsForOnePartition(t *testing.T) {
	in := topology.NewTopic("in", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, in).To(in.Named("out"))
	top := topology.Must(b.Build())
	defer func() {
		if recover() == nil {
			t.Error("it starts")
		}
	}()
	kstest.New(kstest.InExample(), top, kstest.OneTask(), kstest.PartitionCount(2))
}

// Event time may come from the partition, and a record without a usable one may be dropped.
func TestTimeOrDropSeesTheLatestTimeOfThePartition(t *testing.T) {
	in := topology.NewTopic("in", serde.String, serde.String).TimeOrDrop(func(r topology.Record[string, string], latest time.Time) (time.Time, bool) {
		if r.Time.UnixMilli() < 0 {
			return latest, !latest.IsZero()
		}
		return r.Time, true
	})
	out := topology.NewTopic("out", serde.String, serde.String)
	b := topology.NewBuilder()
	kstream.From(b, in).To(out)
	d := kstest.New(t, topology.Must(b.Build()))
	for i, ms := range []int64{-1, 7, 3, -5} {
		d.Input(in).SendAt(time.UnixMilli(ms), "k", fmt.Sprint(i))
	}
	got := ""
	for _, r := range d.Output(out).Rest() {
		got += fmt.Sprint(r.Value, "@", r.Time.UnixMilli(), " ")
	}
	if want := "1@7 2@3 3@7 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := d.Dropped()["negative-time"]; n != 1 {
		t.Errorf("%d dropped: %v", n, d.Dropped())
	}
}
