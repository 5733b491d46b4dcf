package ktable_test

import (
	"fmt"
	"slices"
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

func plus(acc, v string) string  { return acc + "+" + v }
func minus(acc, v string) string { return acc + "-" + v }

// byFirst groups rows by the first character of their value; an empty value has none.
func byFirst(t ktable.Table[string, string]) ktable.Regrouped[*string, string] {
	return t.GroupBy("byfirst", func(_, v string) (*string, string) {
		if v == "" {
			return nil, v
		}
		first := v[:1]
		return &first, v
	}).WithKeySerde(serde.Nullable(serde.String))
}

// line shows a record as key=value@time, with "-" for null, and the names of its headers.
func line(r topology.Record[[]byte, []byte]) string {
	s := string(r.Key) + "="
	if r.HasValue() {
		s += strings.Trim(fmt.Sprintf("%q", r.Value), `"`)
	} else {
		s += "-"
	}
	s += fmt.Sprintf("@%d", r.Time.UnixMilli())
	for _, h := range r.Headers {
		s += "," + h.Key
	}
	return s
}

// recorded pipes what was piped into Kafka Streams into a topic, and compares other topics, each as "step:record".
func recorded(t *testing.T, b *topology.Builder, opts []kstest.Option, steps []string, want map[string][]string) *kstest.Driver {
	t.Helper()
	d := kstest.New(t, topology.Must(b.Build()), opts...)
	got := map[string][]string{}
	outs := map[string]*kstest.Output[[]byte, []byte]{}
	for name := range want {
		outs[name] = d.Output(topology.NewTopic(name, serde.Bytes, serde.Bytes))
	}
	for i, s := range steps {
		topic, rest, _ := strings.Cut(s, ":")
		kv, at, _ := strings.Cut(rest, "@")
		key, value, _ := strings.Cut(kv, "=")
		at, header, _ := strings.Cut(at, ",")
		var ms int64
		_, _ = fmt.Sscan(at, &ms) // without a time it is 0
		r := topology.Record[string, string]{Key: key, Value: value, Time: time.UnixMilli(ms)}
		if header != "" {
			r.Headers = r.Headers.With(header, nil)
		}
		if value == "-" {
			r = r.WithoutValue()
		}
		if key == "-" {
			r = r.WithoutKey()
		}
		d.Input(words.Named(topic)).SendRecord(r)
		for name, o := range outs {
			for _, r := range o.Rest() {
				got[name] = append(got[name], fmt.Sprintf("%d:%s", i, line(r)))
			}
		}
	}
	for name, w := range want {
		if !slices.Equal(got[name], w) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got[name], w)
		}
	}
	return d
}

func TestAGroupedTableSubtractsBeforeItAdds(t *testing.T) {
	b := topology.NewBuilder()
	byFirst(ktable.From(b, words.Named("in"), "st", store.NoCache())).Reduce("red", plus, minus, store.NoCache()).
		WithSerdes(serde.Nullable(serde.String), serde.String).Then(kstream.FromTable).To(topology.NewTopic("out", serde.Nullable(serde.String), serde.String))
	recorded(t, b, nil,
		[]string{"in:k1=apple@10", "in:k2=ant@11", "in:k1=avocado@12", "in:k1=bee@13", "in:k2=-@14", "in:k1=-@15", "in:k4=cat@3", "in:k4=cow@2,h", "in:k5=@20"},
		map[string][]string{
			"app-byfirst-repartition": {`0:a=apple\x01@10`, `1:a=ant\x01@11`, `2:a=\x0eavocadoapple\x02@12`, `3:a=avocado\x00@13`, `3:b=bee\x01@13`,
				`4:a=ant\x00@14`, `5:b=bee\x00@15`, `6:c=cat\x01@3`, `7:c=\x06cowcat\x02@2,h`},
			"out": {"0:a=apple@10", "1:a=apple+ant@11", "2:a=apple+ant-apple+avocado@12", "3:a=apple+ant-apple+avocado-avocado@13", "3:b=bee@13",
				"4:a=apple+ant-apple+avocado-avocado-ant@14", "5:b=bee-bee@15", "6:c=cat@3", "7:c=cat-cat+cow@3,h"},
		})
}

// TestAggregatesOfAGroupedTable: init is asked only where there is no row, sub only where there is one, and null deletes.
func TestAggregatesOfAGroupedTable(t *testing.T) {
	text := serde.Nullable(serde.String)
	p := func(s string) *string { return &s }
	show := func(s *string) string {
		if s == nil {
			return "∅"
		}
		return *s
	}
	b := topology.NewBuilder()
	ktable.From(b, words.Named("in"), "st", store.NoCache()).
		GroupBy("rep", func(_, v string) (string, string) { return v[:1], v }).
		Aggregate("agg", text, func() *string { return p("0") },
			func(k, v string, a *string) *string {
				if v == "a0" {
					return nil
				}
				return p(show(a) + "+" + v)
			},
			func(k, v string, a *string) *string {
				if v == "a1" {
					return nil
				}
				return p(show(a) + "-" + v)
			}, store.NoCache()).
		To(topology.NewTopic("out", serde.String, text))
	recorded(t, b, nil,
		[]string{"in:x=a2@1", "in:y=a1@2", "in:x=a3@3", "in:y=b1@4", "in:z=a4@5", "in:x=a0@6", "in:x=-@7"},
		map[string][]string{"out": {
			"0:a=0+a2@1", "1:a=0+a2+a1@2", "2:a=0+a2+a1-a2+a3@3", "3:a=-@4", "3:b=0+b1@4", "4:a=0+a4@5",
			"5:a=-@6", // sub leaves something, add deletes it
			"6:a=-@7", // nothing to subtract from
		}})
}

func TestCountsOfAGroupedTable(t *testing.T) {
	b := topology.NewBuilder()
	byFirst(ktable.From(b, words.Named("in"), "st")).Count("n").MapValues(func(n int64) string { return fmt.Sprint(n) }).
		To(topology.NewTopic("out", serde.Nullable(serde.String), serde.String))
	recorded(t, b, nil, []string{"in:k1=apple@10", "in:k2=ant@11", "in:k1=bee@13", "in:k2=-@14", "in:k3=-@15"},
		map[string][]string{"out": {"0:a=1@10", "1:a=2@11", "2:a=1@13", "2:b=1@13", "3:a=0@14"}})
}

// TestAGroupingIsSharedByItsFolds: one topic, one reading.
func TestAGroupingIsSharedByItsFolds(t *testing.T) {
	b := topology.NewBuilder()
	g := ktable.From(b, words.Named("in"), "st").GroupBy("rep", func(_, v string) (string, string) { return v[:1], v })
	g.Count("n").To(tally)
	g.Reduce("red", plus, minus).To(out)
	recorded(t, b, nil, []string{"in:k=apple@1"}, map[string][]string{
		"app-rep-repartition": {`0:a=apple\x01@1`}, "out": {"0:a=apple@1"}, "tally": {`0:a=\x00\x00\x00\x00\x00\x00\x00\x01@1`}})
}

// TestSumsOfGroupsAreThoseOfTheRows: with several partitions, whatever changes, each group has the rows that map to it.
func TestSumsOfGroupsAreThoseOfTheRows(t *testing.T) {
	b := topology.NewBuilder()
	ktable.From(b, tally.Named("in"), "st").
		GroupBy("by-tenth", func(_ string, n int64) (int64, int64) { return n % 10, n }).
		Aggregate("sums", serde.Int64, nil, func(_, n, sum int64) int64 { return sum + n }, func(_, n, sum int64) int64 { return sum - n }).
		To(topology.NewTopic("sums", serde.Int64, serde.Int64))
	d := kstest.New(t, topology.Must(b.Build()), kstest.PartitionCount(3))
	in, sums := d.Input(tally.Named("in")), d.Output(topology.NewTopic("sums", serde.Int64, serde.Int64))
	rows, got := map[string]int64{}, map[int64]int64{}
	for i := range int64(500) {
		k := fmt.Sprint(i * 7 % 23)
		if i%5 == 0 {
			delete(rows, k)
			in.Delete(k)
		} else {
			rows[k] = i * i % 97
			in.Send(k, rows[k])
		}
	}
	for _, r := range sums.Rest() {
		got[r.Key] = r.Value
	}
	want := map[int64]int64{}
	for _, n := range rows {
		want[n%10] += n
	}
	for g := range int64(10) {
		if got[g] != want[g] {
			t.Errorf("group %d has %d, want %d", g, got[g], want[g])
		}
	}
}

func TestGroupingATableSaysWhichSerdeIsMissing(t *testing.T) {
	type place struct{ x int }
	b := topology.NewBuilder()
	t1 := ktable.From(b, words, "t")
	t1.GroupBy("a", func(_, v string) (place, string) { return place{}, v }).Count("n")
	t1.GroupBy("b", func(_, v string) (string, place) { return v, place{} }).Count("m")
	t1.GroupBy("c", func(_, v string) (place, place) { return place{}, place{} }).
		WithSerdes(serde.JSON[place](), serde.JSON[place]()).Count("o")
	_, err := b.Build()
	if err == nil {
		t.Fatal("built")
	}
	for _, want := range []string{`GroupBy("a"): no serde for key type ktable_test.place: call WithKeySerde on the result`, `GroupBy("b"): no serde for value type ktable_test.place: call WithSerdes on the result`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s", err, want)
		}
	}
	if strings.Contains(err.Error(), `"c"`) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("%v: says more", err)
	}
}
