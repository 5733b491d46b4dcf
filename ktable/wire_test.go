package ktable_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
)

var (
	words = topology.NewTopic("words", serde.String, serde.String)
	out   = words.Named("out")
	tally = topology.NewTopic("tally", serde.String, serde.Int64)
)

// A bench is a wired subtopology on one memstore.
type bench struct {
	*wiretest.Run
	Plan *graph.Plan
	t    testing.TB
	db   store.DB
}

func wire(t testing.TB, program func(b *topology.Builder)) *bench {
	t.Helper()
	b := topology.NewBuilder()
	program(b)
	top := topology.Must(b.Build())
	var names []string
	for _, s := range (*graph.Plan)(top).Subs[0].Stores {
		names = append(names, s.Name)
	}
	db := memstore.Open(names...)
	t.Cleanup(func() { db.Close() })
	return &bench{wiretest.New(t, top, 0, func(*decl.Store) store.DB { return db }), (*graph.Plan)(top), t, db}
}

// send feeds records written as topic:key=value@time, with "-" for null and an optional ",header".
func (b *bench) send(records ...string) {
	b.t.Helper()
	for _, s := range records {
		topic, rest, _ := strings.Cut(s, ":")
		kv, at, _ := strings.Cut(rest, "@")
		key, value, _ := strings.Cut(kv, "=")
		at, header, _ := strings.Cut(at, ",")
		in := record.In{}
		if key != "-" {
			in.Key = []byte(key)
		}
		if value != "-" {
			in.Value = []byte(value)
		}
		if _, err := fmt.Sscan(at, &in.Time); err != nil {
			b.t.Fatal(err)
		}
		if header != "" {
			in.Headers = []record.Header{{Key: header}}
		}
		if f := b.Feed(topic, in); f != nil {
			b.t.Fatalf("%s: %v", s, f.Err)
		}
	}
}

func (b *bench) commit() {
	b.t.Helper()
	if f := b.Commit(); f != nil {
		b.t.Fatal(f.Err)
	}
	if err := b.db.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

// expect wants exactly these outputs since the last call, in the form of send.
func (b *bench) expect(want ...string) {
	b.t.Helper()
	var got []string
	for _, o := range b.Sent {
		half := func(b []byte) string {
			switch {
			case b == nil:
				return "-"
			case len(b) == 8 && b[0] == 0: // a count
				v, _ := serde.Int64.Decode(b)
				return fmt.Sprint(v)
			}
			return string(b)
		}
		s := fmt.Sprintf("%s:%s=%s@%d", o.Topic, half(o.Key), half(o.Value), o.Time)
		for _, h := range o.Headers {
			s += "," + h.Key
		}
		got = append(got, s)
	}
	b.Sent = nil
	if !slices.Equal(got, want) {
		b.t.Errorf("got  %q\nwant %q", got, want)
	}
}

// changes writes each change of a table as old>new, with · for none.
func changes(t ktable.Table[string, string]) {
	kstream.FromChanges(t).MapValues(func(c kstream.Change[string]) string {
		show := func(v string, ok bool) string {
			if !ok {
				return "·"
			}
			return v
		}
		return show(c.Old, c.HasOld) + ">" + show(c.New, c.HasNew)
	}).To(out)
}

func TestTableEmission(t *testing.T) {
	input := []string{"words:a=1@10,x", "words:b=1@11,y", "words:a=2@5", "words:c=1@7", "words:c=-@8", "words:-=z@9"}
	t.Run("every update with NoCache", func(t *testing.T) {
		b := wire(t, func(b *topology.Builder) { changes(ktable.From(b, words, "t", store.NoCache())) })
		b.send(input...)
		b.send("words:d=-@12")
		b.expect("out:a=·>1@10,x", "out:b=·>1@11,y", "out:a=1>2@5", "out:c=·>1@7", "out:c=1>·@8", "out:d=·>·@12")
		b.commit()
		b.expect()
		if n := b.Dropped["t null-key"]; n != 1 {
			t.Errorf("dropped %v, want one for its key", b.Dropped)
		}
	})
	t.Run("once per row and commit otherwise", func(t *testing.T) {
		b := wire(t, func(b *topology.Builder) { changes(ktable.From(b, words, "t")) })
		b.send(input...)
		b.expect()
		b.commit() // c came and went: no change. a has the headers of its last update, none, and goes by it behind b
		b.expect("out:b=·>1@11,y", "out:a=·>2@5")
		b.send("words:b=3@20,z", "words:a=-@21,w", "words:d=-@22")
		b.commit()
		b.expect("out:b=1>3@20,z", "out:a=2>·@21,w")
		b.commit()
		b.expect()
	})
}

func TestFoldsAgreeWithAndWithoutCache(t *testing.T) {
	input := []string{"words:a=x@10,h", "words:b=q@1", "words:a=y@8", "words:-=z@22", "words:a=-@21", "words:a=z@20"}
	program := func(opts ...store.Option) func(b *topology.Builder) {
		return func(b *topology.Builder) {
			g := kstream.From(b, words).GroupByKey()
			g.Count("count", opts...).To(tally)
			g.Reduce("reduce", func(old, v string) string { return old + v }, opts...).To(words.Named("reduced"))
			g.Aggregate("aggregate", serde.String, func() string { return "<" },
				func(k, v, a string) string { return a + k + v }, opts...).To(words.Named("aggregated"))
		}
	}
	b := wire(t, program(store.NoCache()))
	b.send(input...)
	b.expect(
		"tally:a=1@10,h", "reduced:a=x@10,h", "aggregated:a=<ax@10,h",
		"tally:b=1@1", "reduced:b=q@1", "aggregated:b=<bq@1",
		"tally:a=2@10", "reduced:a=xy@10", "aggregated:a=<axay@10",
		"tally:a=3@20", "reduced:a=xyz@20", "aggregated:a=<axayaz@20",
	)
	for _, what := range []string{"count null-key", "count null-value", "reduce null-key", "aggregate null-value"} {
		if b.Dropped[what] != 1 {
			t.Errorf("dropped %v, want 1 %s", b.Dropped, what)
		}
	}
	b = wire(t, program())
	b.send(input...)
	b.commit()
	b.expect(
		"tally:b=1@1", "tally:a=3@20",
		"reduced:b=q@1", "reduced:a=xyz@20",
		"aggregated:b=<bq@1", "aggregated:a=<axayaz@20",
	)
}

func TestANullResultDeletesTheRow(t *testing.T) {
	nullable := serde.Nullable(serde.String)
	last := func(_, v string, _ *string) *string {
		if v == "y" {
			return nil
		}
		return &v
	}
	program := func(opts ...store.Option) func(b *topology.Builder) {
		return func(b *topology.Builder) {
			kstream.From(b, words).GroupByKey().Aggregate("agg", nullable, nil, last, opts...).
				To(topology.NewTopic("out", serde.String, nullable))
		}
	}
	b := wire(t, program(store.NoCache()))
	b.send("words:a=x@10", "words:a=y@8", "words:a=z@7")
	b.expect("out:a=x@10", "out:a=-@10", "out:a=z@7")
	b = wire(t, program())
	b.send("words:a=x@10")
	b.commit()
	b.send("words:a=y@8")
	b.commit()
	b.expect("out:a=x@10", "out:a=-@8")
}

// list is a value that add changes in place.
func TestAnAggregateChangedInPlaceKeepsItsOldValue(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.NoCache()}} {
		b := wire(t, func(b *topology.Builder) {
			lists := kstream.From(b, words).GroupByKey().Aggregate("lists", serde.JSON[map[string]int](), func() map[string]int { return map[string]int{} },
				func(_, v string, a map[string]int) map[string]int { a[v]++; return a }, opts...)
			kstream.FromChanges(lists).MapValues(func(c kstream.Change[map[string]int]) string { return fmt.Sprint(c.Old, c.New) }).To(out)
		})
		b.send("words:a=x@1")
		b.commit()
		b.send("words:a=y@2")
		b.commit()
		b.expect("out:a=map[] map[x:1]@1", "out:a=map[x:1] map[x:1 y:1]@2")
	}
}

func TestTableVerbsDeleteWhatNoLongerPasses(t *testing.T) {
	vowel := func(_, v string) bool { return strings.Contains(v, "a") }
	for name, c := range map[string]struct {
		verb func(t ktable.Table[string, string]) ktable.Table[string, string]
		want []string
	}{
		"Filter": {func(t ktable.Table[string, string]) ktable.Table[string, string] { return t.Filter(vowel) },
			[]string{"out:k=·>apple@10", "out:k=apple>·@11", "out:k=·>ant@9", "out:k=ant>·@14", "out:k=·>bat@15", "out:k=bat>cat@16"}},
		"FilterNot": {func(t ktable.Table[string, string]) ktable.Table[string, string] { return t.FilterNot(vowel) },
			[]string{"out:k=·>pox@11", "out:j=·>pox@12", "out:j=pox>·@13", "out:k=pox>·@9"}},
		"MapValues": {func(t ktable.Table[string, string]) ktable.Table[string, string] { return t.MapValues(strings.ToUpper) },
			[]string{"out:k=·>APPLE@10", "out:k=APPLE>POX@11", "out:j=·>POX@12", "out:j=POX>·@13", "out:k=POX>ANT@9", "out:k=ANT>·@14", "out:k=·>BAT@15", "out:k=BAT>CAT@16"}},
		"FilterMapValues": {func(t ktable.Table[string, string]) ktable.Table[string, string] {
			return t.FilterMapValues(func(v string) (string, bool) { return v[:1], vowel("", v) })
		}, []string{"out:k=·>a@10", "out:k=a>·@11", "out:k=·>a@9", "out:k=a>·@14", "out:k=·>b@15", "out:k=b>c@16"}},
		"TryMapValues and MapValuesWithKey": {func(t ktable.Table[string, string]) ktable.Table[string, string] {
			return t.TryMapValues(func(v string) (string, error) { return v[:1], nil }).MapValuesWithKey(func(k, v string) string { return k + v }).Filter(vowel)
		}, []string{"out:k=·>ka@10", "out:k=ka>·@11", "out:k=·>ka@9", "out:k=ka>·@14"}},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " kept ", kept), func(t *testing.T) {
				b := wire(t, func(b *topology.Builder) {
					tab := c.verb(ktable.From(b, words, "t", store.NoCache())).WithValueSerde(serde.String)
					if kept {
						tab = tab.Materialize("kept", store.NoCache())
					}
					changes(tab)
				})
				b.send("words:k=apple@10", "words:k=pox@11", "words:j=pox@12", "words:j=-@13", "words:k=ant@9", "words:k=-@14", "words:k=bat@15", "words:k=cat@16")
				b.expect(c.want...)
			})
		}
	}
}

func TestJoinsLookATableUp(t *testing.T) {
	sales := words.Named("sales")
	input := []string{"sales:k=s1@10", "words:k=t1@11", "sales:k=s2@5,h", "words:k=t2@4", "sales:k=s3@20", "words:k=-@21", "sales:k=s4@22", "sales:-=s5@23", "sales:k=-@24"}
	show := func(v, row string, ok bool) string {
		if !ok {
			row = "·"
		}
		return v + "|" + row
	}
	b := wire(t, func(b *topology.Builder) {
		kstream.From(b, sales).LeftJoinTable(ktable.From(b, words, "t"), show).As("join").To(out)
	})
	b.send(input...)
	b.expect("out:k=s1|·@10", "out:k=s2|t1@5,h", "out:k=s3|t2@20", "out:k=s4|·@22", "out:-=s5|·@23")
	if b.Dropped["join null-value"] != 1 || len(b.Dropped) != 1 {
		t.Errorf("dropped %v", b.Dropped)
	}

	b = wire(t, func(b *topology.Builder) {
		kstream.From(b, sales).JoinTable(ktable.From(b, words, "t"), func(v, row string) string { return v + "|" + row }).As("join").To(out)
	})
	b.send(input...)
	b.expect("out:k=s2|t1@5,h", "out:k=s3|t2@20")
	if b.Dropped["join null-value"] != 1 || b.Dropped["join null-key"] != 1 {
		t.Errorf("dropped %v", b.Dropped)
	}

	// A table without a store is computed from its parent's when it is looked up.
	for _, kept := range []bool{false, true} {
		b = wire(t, func(b *topology.Builder) {
			tab := ktable.From(b, words, "t", store.NoCache()).Filter(func(_, v string) bool { return v != "t1" }).MapValues(strings.ToUpper)
			if kept {
				tab = tab.Materialize("kept", store.NoCache())
			}
			kstream.From(b, sales).LeftJoinTable(tab, show).To(out)
		})
		b.send(input...)
		b.expect("out:k=s1|·@10", "out:k=s2|·@5,h", "out:k=s3|T2@20", "out:k=s4|·@22", "out:-=s5|·@23")
	}
}

func TestALookUpNamesTheStepOfTheTableThatFails(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		tab := ktable.From(b, words, "t").TryMapValues(func(v string) (string, error) { return "", fmt.Errorf("no %s", v) })
		kstream.From(b, words.Named("sales")).JoinTable(tab, func(v, row string) string { return v + row }).To(out)
	})
	b.send("words:k=v@1")
	if f := b.Feed("sales", record.In{Key: []byte("k"), Value: []byte("s")}); f == nil || f.Node != 2 {
		t.Errorf("%+v: want a failure at node 2, the table's map", f)
	}
}

func TestAFilterKeepsNothingItselfAndAsksForNoOldValueInVain(t *testing.T) {
	calls := 0
	b := wire(t, func(b *topology.Builder) {
		ktable.From(b, words, "t", store.NoCache()).MapValues(func(v string) string { calls++; return v }).To(out)
	})
	b.send("words:k=1@1", "words:k=2@2")
	if calls != 2 {
		t.Errorf("f ran %d times for two new values and nobody who wants the old", calls)
	}
}

func TestToTableIsATableOfTheStream(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		changes(kstream.From(b, words).MapValues(strings.ToUpper).WithValueSerde(serde.String).ToTable("t", store.NoCache()))
	})
	b.send("words:a=x@10", "words:a=-@11", "words:-=z@12")
	b.expect("out:a=·>X@10", "out:a=X>·@11")
}

func TestFromTableSendsDeletionsOn(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		ktable.From(b, words, "t", store.NoCache()).Then(kstream.FromTable).MapValues(strings.ToUpper).To(out)
	})
	b.send("words:a=x@10", "words:a=-@11")
	b.expect("out:a=X@10", "out:a=-@11")
}

func TestOneTopicIsReadAsStreamAndTable(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		tab := ktable.From(b, words, "t")
		kstream.From(b, words).JoinTable(tab, func(v, row string) string { return v + row }).To(out)
	})
	b.send("words:a=x@10")
	b.expect("out:a=xx@10")
}

func TestCountingAllocatesNoMoreThanItsKey(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		kstream.From(b, words).GroupByKey().Count("n", store.NoCache()).To(tally)
	})
	b.Quiet = true
	f := b.Source("words")
	in := &record.In{Key: []byte("some key"), Value: []byte{}}
	f(b.Meta(), in)
	if n := testing.AllocsPerRun(1000, func() { f(b.Meta(), in) }); n > 1 {
		t.Errorf("%v allocations per record, want at most 1: the decoded key", n)
	}
}

func TestRepartitionDropsMissingKeysUnlessALeftJoinFollows(t *testing.T) {
	for _, c := range []struct {
		follow func(s kstream.Stream[string, string], tab ktable.Table[string, string])
		want   []string
	}{
		{func(s kstream.Stream[string, string], tab ktable.Table[string, string]) {
			s.JoinTable(tab, func(v, _ string) string { return v }).To(out)
		}, []string{"app-r-repartition:k=v@1"}},
		{func(s kstream.Stream[string, string], tab ktable.Table[string, string]) {
			s.MapValues(strings.ToUpper).LeftJoinTable(tab, func(v, _ string, _ bool) string { return v }).To(out)
		}, []string{"app-r-repartition:k=v@1", "app-r-repartition:-=w@2"}},
	} {
		b := wire(t, func(b *topology.Builder) {
			s := kstream.From(b, words).Repartition("r")
			c.follow(s, ktable.From(b, words.Named("rows"), "t"))
		})
		b.send("words:k=v@1", "words:-=w@2")
		b.expect(c.want...)
		if n := b.Dropped["r-repartition-sink null-key-to-repartition"]; n != 2-len(c.want) {
			t.Errorf("%d dropped and counted", n)
		}
	}
}

// TestBytesReadFromAStoreOutliveTheNextWrite: a row's bytes change with the next write, and serde.Bytes keeps them.
func TestBytesReadFromAStoreOutliveTheNextWrite(t *testing.T) {
	raw := topology.NewTopic("words", serde.String, serde.Bytes)
	b := wire(t, func(b *topology.Builder) {
		rows := ktable.From(b, raw, "rows", store.NoCache())
		kstream.FromChanges(rows).MapValues(func(c kstream.Change[[]byte]) string { return string(c.Old) + ">" + string(c.New) }).To(out)
		joined := kstream.From(b, raw.Named("sales")).JoinTable(rows, func(_, row []byte) []byte { return row })
		joined.MapValues(func(row []byte) []byte { return []byte(strings.Repeat("z", len(row))) }).ToTable("other") // writes
		joined.To(raw.Named("joined"))
	})
	b.send("words:k=aaaa@1", "words:k=bbbb@2", "words:k=cccc@3", "sales:k=s@4", "sales:k=s@5")
	b.expect("out:k=>aaaa@1", "out:k=aaaa>bbbb@2", "out:k=bbbb>cccc@3", "joined:k=cccc@4", "joined:k=cccc@5")
}

func TestAJoinersFailureNamesTheJoin(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		tab := ktable.From(b, words, "t").Filter(func(_, _ string) bool { return true })
		kstream.From(b, words.Named("sales")).JoinTable(tab, func(_, _ string) string { panic("joiner") }).To(out)
	})
	b.send("words:k=v@1")
	defer func() {
		if p := recover(); p != "joiner" || b.Meta().Node != 4 {
			t.Errorf("panic %v at node %d, want the joiner's at 4", p, b.Meta().Node)
		}
	}()
	b.Feed("sales", record.In{Key: []byte("k"), Value: []byte("s")})
}

func TestStepsBehindATableDoNotSeeEachOthersMeta(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.NoCache()}} {
		b := wire(t, func(b *topology.Builder) {
			tab := ktable.From(b, words, "t", opts...)
			tab.Then(kstream.FromTable).MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] {
				r.Time, r.Headers = r.Time.Add(time.Second), nil
				return r.WithKey("other").WithValue("changed")
			}).To(out)
			tab.To(words.Named("copy"))
		})
		b.send("words:k=v@1,h")
		b.commit()
		b.expect("out:other=changed@1001", "copy:k=v@1,h")
	}
}

func TestANullValueIsNoRowOfAMaterializedTable(t *testing.T) {
	nullable := serde.Nullable(serde.String)
	b := wire(t, func(b *topology.Builder) {
		tab := ktable.From(b, words, "t", store.NoCache()).MapValues(func(v string) *string {
			if v == "none" {
				return nil
			}
			return &v
		}).WithValueSerde(nullable).Materialize("kept", store.NoCache())
		kstream.FromChanges(tab).MapValues(func(c kstream.Change[*string]) string { return fmt.Sprint(c.HasOld, c.HasNew) }).To(out)
	})
	b.send("words:k=v@1", "words:k=none@2", "words:k=w@3")
	b.expect("out:k=false true@1", "out:k=true false@2", "out:k=false true@3")
}

func TestFunctionsBehindANullableTableSeeDeletedRowsAsNil(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		ktable.From(b, topology.NewTopic("words", serde.String, serde.Nullable(serde.String)), "t", store.NoCache()).
			Then(kstream.FromTable).
			MapValues(func(v *string) string { return fmt.Sprint(v == nil) }).
			To(out)
	})
	b.send("words:k=v@1", "words:k=-@2")
	b.expect("out:k=false@1", "out:k=true@2")
}
