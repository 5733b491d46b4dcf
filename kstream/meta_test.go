package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
)

// wire builds a program of one subtopology over the topic words.
func wire(t testing.TB, program func(s kstream.Stream[string, string])) *wiretest.Run {
	t.Helper()
	b := topology.NewBuilder()
	program(kstream.From(b, words))
	return wiretest.New(t, topology.Must(b.Build()), 0, nil)
}

func feed(t testing.TB, r *wiretest.Run, key, value string) {
	t.Helper()
	in := record.In{Key: []byte(key), Value: []byte(value), Time: 100, Headers: []record.Header{{Key: "h", Value: []byte("x")}}}
	if f := r.Feed("words", in); f != nil {
		t.Fatal(f.Err)
	}
}

// sent shows what was written: topic, key, value, time and headers.
func sent(r *wiretest.Run) string {
	var w []string
	for _, o := range r.Sent {
		s := fmt.Sprintf("%s:%s=%s@%d", o.Topic, o.Key, o.Value, o.Time)
		for _, h := range o.Headers {
			s += fmt.Sprintf(",%s=%s", h.Key, h.Value)
		}
		w = append(w, s)
	}
	return strings.Join(w, " ")
}

func expect(t *testing.T, r *wiretest.Run, want string) {
	t.Helper()
	if got := sent(r); got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

// later is a record mapped to another time, key and headers.
func later(r topology.Record[string, string]) topology.Record[string, string] {
	r.Time = time.UnixMilli(200)
	r.Headers = r.Headers.With("n", []byte("1"))
	return r.WithKey("other")
}

func TestSiblingsDoNotSeeEachOthersMeta(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.MapRecord(later).To(words.Named("a"))
		s.To(words.Named("b"))
		p := s.Split()
		p.Case(func(_, v string) bool { return v == "v" }).MapRecord(later).To(words.Named("c"))
		p.Default().To(words.Named("d"))
	})
	feed(t, r, "k", "v")
	expect(t, r, "a:other=v@200,h=x,n=1 b:k=v@100,h=x c:other=v@200,h=x,n=1")
}

func TestADeletionReachesEachCaseAsItWas(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		p := s.Split()
		p.Case(func(_, v string) bool { return true }).MapRecord(later).To(words.Named("a"))
		p.Default().To(words.Named("b"))
	})
	r.Feed("words", record.In{Key: []byte("k"), Time: 100})
	expect(t, r, "a:other=@200,n=1 b:k=@100")
}

func TestEachOfManyValuesStartsFromTheRecordInHand(t *testing.T) {
	n := 0
	grow := func(r topology.Record[string, string]) topology.Record[string, string] {
		n++
		r.Time = r.Time.Add(time.Millisecond)
		r.Headers = r.Headers.With("n", fmt.Append(nil, n))
		return r
	}
	two := func(v string) []string { return []string{v, v} }
	pairs := func(k, v string, emit func(string, string)) { emit(k, v); emit(k, v) }
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.FlatMapValues(two).MapRecord(grow).To(out)
		s.FlatMapValuesWithKey(func(_, v string) []string { return two(v) }).MapRecord(grow).To(out)
		s.FlatMap(pairs).MapRecord(grow).To(out)
		s.TryFlatMap(func(k, v string, emit func(string, string)) error { pairs(k, v, emit); return nil }).MapRecord(grow).To(out)
	})
	feed(t, r, "k", "v")
	var want []string
	for i := range 8 {
		want = append(want, fmt.Sprintf("out:k=v@101,h=x,n=%d", i+1))
	}
	expect(t, r, strings.Join(want, " "))
}

func TestMapRecordKeepsTheTimeUnlessItIsSet(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] {
			return topology.Record[string, string]{Key: "new", Value: r.Value}
		}).To(out)
	})
	feed(t, r, "k", "v")
	expect(t, r, "out:new=v@100")

	r = wire(t, func(s kstream.Stream[string, string]) {
		s.MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] {
			r.Time = time.UnixMilli(-1)
			return r
		}).To(out)
	})
	if f := r.Feed("words", record.In{Value: []byte("v")}); f == nil || f.Node != 1 {
		t.Errorf("%+v: want a failure of the step for a time before 1970", f)
	}
}

var errBad = errors.New("bad")

func TestFailuresNameTheStepThatFailed(t *testing.T) {
	panics := func(string) string { panic(errBad) }
	for name, program := range map[string]func(s kstream.Stream[string, string]) kstream.Stream[string, string]{
		"TryMapValues": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.TryMapValues(func(string) (string, error) { return "", errBad })
		},
		"TryMap": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.TryMap(func(_, _ string) (string, string, error) { return "", "", errBad })
		},
		"TryFlatMap": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.TryFlatMap(func(k, v string, emit func(string, string)) error { emit(k, v); return errBad })
		},
		"Process": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.Process("p", func(*topology.Task, topology.Out[string, string]) topology.Handler[string, string] {
				return func(context.Context, topology.Record[string, string]) error { return errBad }
			})
		},
		"ProcessValues": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.ProcessValues("p", func(*topology.Task, topology.OutValue[string]) topology.Handler[string, string] {
				return func(context.Context, topology.Record[string, string]) error { return errBad }
			})
		},
		"TryForEach": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			s.TryForEach(func(context.Context, string, string) error { return errBad })
			return s
		},
		"a panic": func(s kstream.Stream[string, string]) kstream.Stream[string, string] { return s.MapValues(panics) },
		"a panic in a case": func(s kstream.Stream[string, string]) kstream.Stream[string, string] {
			return s.Split().Case(func(_, _ string) bool { panic(errBad) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := wire(t, func(s kstream.Stream[string, string]) { program(s).To(out) })
			want := int32(1)
			if name == "a panic in a case" {
				want = 2
			}
			defer func() {
				if p := recover(); p != nil && (p != errBad || r.Meta().Node != want) {
					t.Errorf("panic %v at node %d, want %d", p, r.Meta().Node, want)
				}
				if len(r.Sent) != 0 {
					t.Errorf("sent %s", sent(r))
				}
			}()
			if f := r.Feed("words", record.In{Value: []byte("v")}); f == nil || f.Err != errBad || f.Node != want {
				t.Errorf("%+v: want the error at node %d", f, want)
			}
		})
	}
}

func TestOnErrorHoldsForWhatFollows(t *testing.T) {
	skip := func(*topology.RecordError) topology.Action { return topology.Skip() }
	b := topology.NewBuilder()
	s := kstream.From(b, words).MapValues(strings.ToUpper).OnError(skip).MapValues(strings.ToLower).Repartition("r")
	s.MapValues(strings.ToUpper).OnError(nil).To(out)
	var got []string
	for _, n := range (*graph.Plan)(topology.Must(b.Build())).Nodes {
		_, ok := n.Policy.(topology.ErrorPolicy)
		got = append(got, fmt.Sprint(n.Name, "=", ok))
	}
	want := "source-0=false map-values-1=false map-values-2=true r-repartition-sink=true r-repartition-source=false map-values-5=true sink-6=false"
	if g := strings.Join(got, " "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestSinksPartitionAsKafkaDoesUnlessTold(t *testing.T) {
	mine := func(k, v string, n int) int { return (len(k) + len(v)) % n }
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.To(out)
		s.To(words.Named("new"))
		s.To(words.Named("mine").PartitionBy(mine))
		s.RepartitionBy("r", mine)
	})
	r.Counts["out"], r.Counts["new"], r.Counts["mine"], r.Counts["app-r-repartition"] = 100, 0, 6, 5
	feed(t, r, "key-1", "va")
	r.Feed("words", record.In{Value: []byte("v")})
	var got []string
	for _, o := range r.Sent {
		got = append(got, fmt.Sprint(o.Topic, "/", o.Partition))
	}
	// 40 is murmur2("key-1") & 0x7fffffff % 100; -1 leaves it to the producer.
	want := "out/40 new/-1 mine/1 app-r-repartition/2 out/-1 new/-1 mine/1"
	if g := strings.Join(got, " "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestAPartitionOutOfRangeFailsTheRecord(t *testing.T) {
	for _, p := range []int{-1, 4} {
		r := wire(t, func(s kstream.Stream[string, string]) {
			s.To(out.PartitionBy(func(_, _ string, n int) int { return p }))
		})
		r.Counts["out"] = 4
		if f := r.Feed("words", record.In{Value: []byte("v")}); f == nil || len(r.Sent) > 0 {
			t.Errorf("partition %d of 4 was taken", p)
		}
	}
}

func TestTheNumberOfPartitionsIsAskedForAgainAfterACommit(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.To(out)
		s.ToEach(func(topology.Record[string, string]) topology.Topic[string, string] { return out })
	})
	r.Counts["out"] = 1
	feed(t, r, "key-1", "v")
	r.Counts["out"] = 100
	r.Commit()
	feed(t, r, "key-1", "v")
	for i, want := range []int32{0, 0, 40, 40} {
		if got := r.Sent[i].Partition; got != want {
			t.Errorf("record %d went to partition %d, want %d", i, got, want)
		}
	}
}

func TestToEachWritesToTheTopicChosen(t *testing.T) {
	r := wire(t, func(s kstream.Stream[string, string]) {
		s.ToEach(func(r topology.Record[string, string]) topology.Topic[string, string] {
			if r.Value == "" {
				return topology.Topic[string, string]{}
			}
			return words.Named(r.Value)
		})
	})
	for _, v := range []string{"a", "b", "b", "a"} {
		feed(t, r, "k", v)
	}
	expect(t, r, "a:k=a@100,h=x b:k=b@100,h=x b:k=b@100,h=x a:k=a@100,h=x")
	if f := r.Feed("words", record.In{Value: []byte("")}); f == nil {
		t.Error("a topic without a name was taken")
	}
	feed(t, r, "k", "a")
}

func TestPrintWritesLabelKeyAndValue(t *testing.T) {
	var w strings.Builder
	r := wire(t, func(s kstream.Stream[string, string]) { s.Print(&w, "words") })
	feed(t, r, "k", "v")
	if got := w.String(); got != "[words]: k, v\n" {
		t.Errorf("printed %q", got)
	}
}
