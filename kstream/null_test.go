package kstream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

var (
	words    = topology.NewTopic("words", serde.String, serde.String)
	out      = words.Named("out")
	nullable = topology.NewTopic("words", serde.String, serde.Nullable(serde.String))
	nullOut  = nullable.Named("out")
)

// shown writes a half of a record so that null, empty and text differ.
func shown(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// run feeds a word, a deletion and a record without a key to the first subtopology, and returns what was called, what
// was written and what was dropped.
func run(t *testing.T, build func(b *topology.Builder, called func(string))) string {
	t.Helper()
	b := topology.NewBuilder()
	var calls []string
	build(b, func(what string) { calls = append(calls, what) })
	r := wiretest.New(t, topology.Must(b.Build()), 0, nil)
	for i, in := range []record.In{
		{Key: []byte("k"), Value: []byte("v")},
		{Key: []byte("k")},
		{Value: []byte("w")},
	} {
		in.Time = int64(10 + i)
		if f := r.Feed("words", in); f != nil {
			return f.Err.Error()
		}
	}
	var sent []string
	for _, o := range r.Sent {
		sent = append(sent, o.Topic+":"+shown(o.Key)+"="+shown(o.Value))
	}
	var drops []string
	for what, n := range r.Dropped {
		drops = append(drops, fmt.Sprint(what, " ", n))
	}
	return fmt.Sprintf("called %s; sent %s; dropped %s", strings.Join(calls, " "), strings.Join(sent, " "), strings.Join(drops, " "))
}

// TestDeletionsAndMissingKeys is the table of null rules of the package comment.
func TestDeletionsAndMissingKeys(t *testing.T) {
	const (
		passed  = `sent out:"k"="v" out:"k"=null out:null="w"; dropped `
		keyless = `sent out:"k"="v" out:"k"="w"; dropped `
	)
	for _, c := range []struct {
		verb  string
		build func(s kstream.Stream[string, string], called func(string))
		want  string
	}{
		{"Filter", func(s kstream.Stream[string, string], called func(string)) {
			s.Filter(func(k, v string) bool { called(k + v); return true }).To(out)
		}, "called kv w; " + passed},
		{"FilterNot", func(s kstream.Stream[string, string], called func(string)) {
			s.FilterNot(func(k, v string) bool { called(k + v); return true }).To(out)
		}, `called kv w; sent out:"k"=null; dropped `},
		{"DropDeletes", func(s kstream.Stream[string, string], _ func(string)) { s.DropDeletes().To(out) },
			`called ; sent out:"k"="v" out:null="w"; dropped `},
		{"MapValues", func(s kstream.Stream[string, string], called func(string)) {
			s.MapValues(func(v string) string { called(v); return v }).To(out)
		}, "called v w; " + passed},
		{"MapValuesWithKey", func(s kstream.Stream[string, string], called func(string)) {
			s.MapValuesWithKey(func(k, v string) string { called(k + v); return v }).To(out)
		}, "called kv w; " + passed},
		{"TryMapValues", func(s kstream.Stream[string, string], called func(string)) {
			s.TryMapValues(func(v string) (string, error) { called(v); return v, nil }).To(out)
		}, "called v w; " + passed},
		{"FilterMapValues", func(s kstream.Stream[string, string], called func(string)) {
			s.FilterMapValues(func(v string) (string, bool) { called(v); return v, v == "v" }).To(out)
		}, `called v w; sent out:"k"="v" out:"k"=null; dropped `},
		{"FlatMapValues", func(s kstream.Stream[string, string], called func(string)) {
			s.FlatMapValues(func(v string) []string { called(v); return []string{v} }).To(out)
		}, "called v w; " + passed},
		{"FlatMapValuesWithKey", func(s kstream.Stream[string, string], called func(string)) {
			s.FlatMapValuesWithKey(func(k, v string) []string { called(k + v); return []string{v} }).To(out)
		}, "called kv w; " + passed},
		{"Peek", func(s kstream.Stream[string, string], called func(string)) {
			s.Peek(func(k, v string) { called(k + v) }).To(out)
		}, "called kv w; " + passed},
		{"WithHeaders", func(s kstream.Stream[string, string], called func(string)) {
			s.WithHeaders(func(k, v string, h topology.Headers) topology.Headers { called(k + v); return h }).To(out)
		}, "called kv w; " + passed},
		{"Merge", func(s kstream.Stream[string, string], _ func(string)) { s.Merge().To(out) }, "called ; " + passed},
		{"MapRecord", func(s kstream.Stream[string, string], called func(string)) {
			s.MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] {
				called(fmt.Sprint(r.HasKey(), r.HasValue()))
				return r
			}).To(out)
		}, "called true true true false false true; " + passed},
		{"ProcessValues", func(s kstream.Stream[string, string], called func(string)) {
			s.ProcessValues("p", func(_ *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
				return func(_ context.Context, r topology.Record[string, string]) error {
					if called(r.Key + r.Value); r.HasValue() {
						out.Send(r.Value)
					} else {
						out.SendDelete()
					}
					return nil
				}
			}).To(out)
		}, "called kv k w; " + passed},
		{"Process", func(s kstream.Stream[string, string], called func(string)) {
			s.Process("p", func(_ *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
				return func(_ context.Context, r topology.Record[string, string]) error {
					called(r.Key + r.Value)
					out.SendRecord(r)
					return nil
				}
			}).To(out)
		}, "called kv k w; " + passed},
		{"ToEach", func(s kstream.Stream[string, string], called func(string)) {
			s.ToEach(func(r topology.Record[string, string]) topology.Topic[string, string] {
				called(r.Key + r.Value)
				return out
			})
		}, "called kv k w; " + passed},
		{"Split", func(s kstream.Stream[string, string], called func(string)) {
			p := s.Split()
			p.Case(func(k, v string) bool { called(k + v); return v == "v" }).To(out)
			p.Default().To(out)
		}, `called kv w; sent out:"k"="v" out:"k"=null out:"k"=null out:null="w"; dropped `},

		{"ForEach", func(s kstream.Stream[string, string], called func(string)) {
			s.ForEach(func(k, v string) { called(k + v) })
		}, "called kv w; sent ; dropped "},
		{"TryForEach", func(s kstream.Stream[string, string], called func(string)) {
			s.TryForEach(func(_ context.Context, k, v string) error { called(k + v); return nil })
		}, "called kv w; sent ; dropped "},

		{"Map", func(s kstream.Stream[string, string], called func(string)) {
			s.Map(func(k, v string) (string, string) { called(k + v); return "k", v }).To(out)
		}, "called kv w; " + keyless + "map-1 null-value 1"},
		{"TryMap", func(s kstream.Stream[string, string], called func(string)) {
			s.TryMap(func(k, v string) (string, string, error) { called(k + v); return "k", v, nil }).To(out)
		}, "called kv w; " + keyless + "map-1 null-value 1"},
		{"SelectKey", func(s kstream.Stream[string, string], called func(string)) {
			s.SelectKey(func(k, v string) string { called(k + v); return "k" }).To(out)
		}, "called kv w; " + keyless + "select-key-1 null-value 1"},
		{"FlatMap", func(s kstream.Stream[string, string], called func(string)) {
			s.FlatMap(func(k, v string, emit func(string, string)) { called(k + v); emit("k", v) }).To(out)
		}, "called kv w; " + keyless + "flat-map-1 null-value 1"},
		{"TryFlatMap", func(s kstream.Stream[string, string], called func(string)) {
			s.TryFlatMap(func(k, v string, emit func(string, string)) error { called(k + v); emit("k", v); return nil }).To(out)
		}, "called kv w; " + keyless + "flat-map-1 null-value 1"},
		{"Repartition", func(s kstream.Stream[string, string], _ func(string)) { s.Repartition("r") },
			`called ; sent app-r-repartition:"k"="v" app-r-repartition:"k"=null; dropped r-repartition-sink null-key-to-repartition 1`},
	} {
		t.Run(c.verb, func(t *testing.T) {
			if got := run(t, func(b *topology.Builder, called func(string)) { c.build(kstream.From(b, words), called) }); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestFunctionsOfANullableTopicSeeNulls: the same deletion, when the topic's values are pointers.
func TestFunctionsOfANullableTopicSeeNulls(t *testing.T) {
	show := func(v *string) string {
		if v == nil {
			return "nil"
		}
		return *v
	}
	for _, c := range []struct {
		verb  string
		build func(s kstream.Stream[string, *string], called func(string))
		want  string
	}{
		{"MapValues", func(s kstream.Stream[string, *string], called func(string)) {
			s.MapValues(func(v *string) string { called(show(v)); return show(v) }).To(out)
		}, `called v nil w; sent out:"k"="v" out:"k"="nil" out:null="w"; dropped `},
		{"Filter", func(s kstream.Stream[string, *string], called func(string)) {
			s.Filter(func(_ string, v *string) bool { called(show(v)); return v == nil }).To(nullOut)
		}, `called v nil w; sent out:"k"=null; dropped `},
		{"DropDeletes", func(s kstream.Stream[string, *string], _ func(string)) { s.DropDeletes().To(nullOut) },
			`called ; sent out:"k"="v" out:null="w"; dropped `},
		{"SelectKey", func(s kstream.Stream[string, *string], called func(string)) {
			s.SelectKey(func(_ string, v *string) string { return show(v) }).To(nullOut)
		}, `called ; sent out:"v"="v" out:"nil"=null out:"w"="w"; dropped `},
		{"Split", func(s kstream.Stream[string, *string], called func(string)) {
			s.Split().Case(func(_ string, v *string) bool { called(show(v)); return v == nil }).To(nullOut)
		}, `called v nil w; sent out:"k"=null; dropped `},
	} {
		t.Run(c.verb, func(t *testing.T) {
			if got := run(t, func(b *topology.Builder, called func(string)) { c.build(kstream.From(b, nullable), called) }); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestAnEmptyValueIsNotNull: a serde may return nil for what is empty, but not null.
func TestAnEmptyValueIsNotNull(t *testing.T) {
	empty := serde.Func(func([]byte, string) ([]byte, error) { return nil, nil }, func([]byte) (string, error) { return "", nil })
	got := run(t, func(b *topology.Builder, _ func(string)) {
		kstream.From(b, words).DropDeletes().To(topology.NewTopic("out", serde.String, empty))
	})
	if want := `called ; sent out:"k"="" out:null=""; dropped `; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
