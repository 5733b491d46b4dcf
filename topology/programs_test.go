package topology_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

type place struct{ lat, lon float64 }

var (
	lines  = topology.NewTopic("lines", serde.String, serde.String)
	counts = topology.NewTopic("counts", serde.String, serde.Int64)
	places = topology.NewTopic[string, place]("places", nil, nil)
	seen   = store.NewKeyValue("seen", serde.String, serde.Int64)
)

func upper(s string) string               { return strings.ToUpper(s) }
func first(_, v string) string            { return v[:1] }
func long(_, v string) bool               { return len(v) > 80 }
func toPlace(_, _ string) (place, string) { return place{}, "" }

func (p *place) MarshalBinary() ([]byte, error) { return nil, nil }
func (p *place) UnmarshalBinary(b []byte) error { return nil }

func remember(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
	return func(context.Context, topology.Record[string, string]) error { return nil }
}

// programs are named in testdata: those of describe are right, those of errors are wrong.
var programs = map[string]func(b *topology.Builder){
	"pass": func(b *topology.Builder) {
		kstream.From(b, lines).MapValues(upper).As("shout").To(lines.Named("loud"))
	},
	"share": func(b *topology.Builder) {
		p := kstream.From(b, lines.AndNamed("more")).Split()
		p.Case(long).As("long").To(lines.Named("long"))
		p.Default().To(lines.Named("short"))
	},
	"repartition": func(b *topology.Builder) {
		kstream.From(b, lines.Matching(`l\d+`)).SelectKey(first).Repartition("by-first", kstream.Partitions(4)).
			ToEach(func(r topology.Record[string, string]) topology.Topic[string, string] { return lines.Named(r.Key) })
	},
	"stores": func(b *topology.Builder) {
		kstream.From(b, lines).Process("left", remember, seen)
		kstream.From(b, lines.Named("other")).Process("right", remember, seen)
		kstream.From(b, lines.Named("alone")).ForEach(func(_, _ string) {})
	},
	"merged sources": func(b *topology.Builder) {
		kstream.From(b, lines).To(lines.Named("a"))
		s := kstream.From(b, lines)
		s.Merge(s, kstream.From(b, lines.Named("other"))).To(lines.Named("b"))
	},
	"word count": func(b *topology.Builder) {
		kstream.From(b, lines).
			FlatMapValues(strings.Fields).
			GroupBy("by-word", func(_, word string) string { return word }).
			Count("word-counts").
			To(counts)
	},
	"tables": func(b *topology.Builder) {
		tab := ktable.From(b, lines, "lines")
		short := tab.FilterNot(long)
		kstream.From(b, lines.Named("sales")).
			JoinTable(short, func(v, row string) string { return v + row }).
			ToTable("joined").
			Then(kstream.FromTable).As("changes").
			To(lines.Named("out"))
		short.MapValues(upper).WithValueSerde(serde.String).Materialize("loud").As("kept").To(lines.Named("loud"))
	},
	"reads its own output": func(b *topology.Builder) {
		kstream.From(b, lines).To(lines.Named("echo"))
		kstream.From(b, lines.Named("echo")).ForEach(func(_, _ string) {})
	},

	"empty": func(b *topology.Builder) {},
	"names": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.Process("twice", remember).Repartition("again").To(lines.Named("a"))
		s.Process("twice", remember).Repartition("again").To(lines.Named("b"))
		s.Process("", remember)
		s.Process("sp ace", remember)
		s.Peek(func(_, _ string) {}).As("twice")
		n := s.MapValues(upper).As("one")
		n.As("two")
		s.Repartition("")
		s.Repartition("..").ForEach(func(_, _ string) {})
		s.Repartition(strings.Repeat("x", 250))
		s.To(lines.Named("naïve"))
		s.To(lines.Named(""))
	},
	"stores with one name": func(b *topology.Builder) {
		other := store.NewKeyValue("seen", serde.String, serde.String)
		s := kstream.From(b, lines)
		s.Process("left", remember, seen)
		s.Process("right", remember, other)
		s.Process("wrong", remember, nil, store.KeyValueSpec[string, int64]{})
	},
	"store options": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.Process("d", remember, store.NewWindow("window", serde.String, serde.Int64, time.Minute, time.Hour))
		s.Process("e", remember, store.NewKeyValue[string, place]("bare", nil, nil))
		s.Process("f", remember, store.NewKeyValue("none", serde.String, serde.Int64, store.LRU(0)))
	},
	"serdes": func(b *topology.Builder) {
		kstream.From(b, places).ForEach(func(string, place) {})
		s := kstream.From(b, lines)
		moved := s.Map(toPlace)
		moved.Repartition("by-place")
		s.MapValues(func(string) place { return place{} }).Repartition("places")
		moved.To(topology.NewTopic[place, string]("out", nil, nil))
	},
	"sources": func(b *topology.Builder) {
		kstream.From(b, lines)
		kstream.From(b, lines.StartAt(topology.Latest()))
		kstream.From(b, topology.NewTopic("lines", serde.String, serde.Int64))
		kstream.From(b, topology.NewTopic("lines", serde.String, serde.JSON[string]()))
		kstream.From(b, lines.OnError(func(*topology.RecordError) topology.Action { return topology.Skip() }))
		kstream.From(b, lines.TimeFrom(func(r topology.Record[string, string]) time.Time { return r.Time }))
		kstream.From(b, lines.Named("both").AndNamed("lines"))
		kstream.From(b, lines.Matching("li.*"))
		kstream.From(b, lines.Matching("li(.*"))
		kstream.From(b, lines.Named("twice").AndNamed("twice"))
	},
	"sinks": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.To(lines.Matching("l.*"))
		s.To(lines.AndNamed("more"))
		s.To(topology.Topic[string, string]{})
		s.Repartition("r", kstream.Partitions(0))
	},
	"functions": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		s.Filter(nil)
		s.MapValues[string](nil)
		s.Process[string, string]("p", nil)
		s.RepartitionBy("r", nil)
		s.Split().Case(nil)
		s.ToEach(nil)
		s.Print(nil, "label")
	},
	"moved keys": func(b *topology.Builder) {
		tab := ktable.From(b, lines, "lines")
		s := kstream.From(b, lines)
		moved := s.SelectKey(first)
		moved.GroupByKey().Count("counted")
		moved.MapValues(upper).WithValueSerde(serde.String).ToTable("kept")
		moved.JoinTable(tab, func(v, row string) string { return v })
		moved.LeftJoinTable(tab, func(v, row string, _ bool) string { return v })
		s.Merge(moved).GroupByKey().Count("merged")
		moved.AssumePartitioned().GroupByKey().Count("assumed")
		moved.Repartition("moved").GroupByKey().Count("repartitioned")
		s.MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] { return r }).GroupByKey()
		s.Process("p", remember).GroupByKey()
		s.ProcessValues("q", func(*topology.Task, topology.OutValue[string]) topology.Handler[string, string] { return nil }).GroupByKey()
	},
	"serdes of tables": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		toPlaces := func(_, _ string) place { return place{} }
		placeSerde := serde.JSON[place]()
		s.GroupBy("nobody-says", toPlaces).Count("a")
		s.GroupBy("said-later", toPlaces).WithKeySerde(placeSerde).Count("b")
		twice := s.GroupBy("said-twice", toPlaces).WithKeySerde(placeSerde)
		twice.WithKeySerde(serde.Binary[place]()).Count("c")
		g := s.GroupByKey()
		g.Aggregate("d", nil, nil, func(_, _ string, p place) place { return p })
		t := ktable.From(b, lines, "e").MapValues(func(string) place { return place{} })
		t.Materialize("f")
		t.To(topology.NewTopic[string, place]("out", nil, nil))
		g.Reduce("g", nil)
	},
	"names of tables": func(b *topology.Builder) {
		s := kstream.From(b, lines)
		g := s.GroupByKey()
		g.Count("n")
		g.Count("n")
		s.ToTable("")
		t := ktable.From(b, lines, "lines")
		s.Process("p", remember, t.Store(), t.MapValues(upper).Store())
		g.Count("ttl", store.TTL(time.Hour))
	},
	"tables of two builders": func(b *topology.Builder) {
		other := ktable.From(topology.NewBuilder(), lines, "lines")
		kstream.From(b, lines).JoinTable(other, func(v, row string) string { return v })
	},
	"two builders": func(b *topology.Builder) {
		other := kstream.From(topology.NewBuilder(), lines)
		kstream.From(b, lines).Merge(other).To(lines.Named("out"))
	},
}

func TestPrograms(t *testing.T) {
	source, err := os.ReadFile("programs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Split(string(source), "\n")
	// Places are shown as the text of their line, so that the transcript proves the line and survives edits.
	place := regexp.MustCompile(`programs_test\.go:(\d+)`)
	show := func(s string) string {
		return place.ReplaceAllStringFunc(s, func(at string) string {
			n, _ := strconv.Atoi(place.FindStringSubmatch(at)[1])
			return "«" + strings.TrimSpace(text[n-1]) + "»"
		})
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			name := strings.Join(strings.Fields(d.Input), " ")
			program, ok := programs[name]
			if !ok {
				d.Fatalf(t, "no program %q", name)
			}
			b := topology.NewBuilder()
			program(b)
			top, err := b.Build()
			if (err != nil) != (d.Cmd == "errors") {
				d.Fatalf(t, "%s: %v", filepath.Base(path), err)
			}
			switch d.Cmd {
			case "errors":
				return show(err.Error())
			case "text":
				return top.String()
			case "mermaid":
				return top.Mermaid()
			case "data":
				var w strings.Builder
				for _, s := range top.Describe().Subtopologies {
					fmt.Fprintf(&w, "%d %s\n", s.ID, s.Fingerprint)
					for _, n := range s.Nodes {
						fmt.Fprintf(&w, "  %s: %s, stores %q, topics %q, next %q, at %s\n", n.Name, n.Kind, n.Stores, n.Topics, n.Next, show(n.At))
					}
				}
				return w.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}
