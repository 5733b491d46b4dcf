package ktable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

const ms = time.Millisecond

// texts writes the changes of a windowed table to the topic out, with keys as key[start,end].
func texts[V any](t ktable.Table[window.Key[string], V]) {
	t.Then(kstream.FromTable).MapRecord(func(r topology.Record[window.Key[string], V]) topology.Record[string, string] {
		to := r.WithKey(fmt.Sprintf("%s[%d,%d]", r.Key.Key, r.Key.Start().UnixMilli(), r.Key.End().UnixMilli())).WithValue(fmt.Sprint(r.Value))
		if !r.HasValue() {
			return to.WithoutValue()
		}
		return to
	}).To(out)
}

func join(old, v string) string { return old + v }

func grouped(b *topology.Builder) ktable.Grouped[string, string] {
	return kstream.From(b, words).GroupByKey()
}

func TestAWindowTakesRecordsUntilItsEndAndGraceHavePassed(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		texts(grouped(b).WindowedBy(window.Tumbling(10*ms).Grace(5*ms)).Reduce("win", join, store.NoCache()))
	})
	b.send("words:a=1@3,h", "words:b=2@14", "words:a=3@4", "words:b=4@15", "words:a=5@9", "words:-=6@500", "words:b=7@16", "words:c=-@17")
	b.expect("out:a[0,10]=1@3,h", "out:b[10,20]=2@14", "out:a[0,10]=13@4", "out:b[10,20]=24@15", "out:b[10,20]=247@16")
	want := map[string]int{"win late": 1, "win null-key": 1, "win null-value": 1}
	for k, n := range want {
		if b.Dropped[k] != n || len(b.Dropped) != len(want) {
			t.Errorf("dropped %v, want %v", b.Dropped, want)
		}
	}
}

func TestARecordFallsIntoAllHoppingWindowsOfItsTime(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		texts(grouped(b).WindowedBy(window.Hopping(10*ms, 4*ms)).Count("win", store.NoCache()))
	})
	b.send("words:a=1@9", "words:a=1@19", "words:a=1@13")
	b.expect("out:a[0,10]=1@9", "out:a[4,14]=1@9", "out:a[8,18]=1@9",
		"out:a[12,22]=1@19", "out:a[16,26]=1@19", "out:a[12,22]=2@19") // [4,14] and [8,18] are closed
	if b.Dropped["win late"] != 2 {
		t.Errorf("dropped %v, want one for each closed window", b.Dropped)
	}
}

func TestStepsBehindAWindowDoNotChangeTheRecordForTheNextWindow(t *testing.T) {
	for name, rule := range map[string]window.Windows{"hopping": window.Hopping(10*ms, 5*ms), "sliding": window.Sliding(10 * ms).Grace(time.Hour)} {
		b := wire(t, func(b *topology.Builder) {
			grouped(b).WindowedBy(rule).Count("win", store.NoCache()).Then(kstream.FromTable).
				MapRecord(func(r topology.Record[window.Key[string], int64]) topology.Record[string, string] {
					to := r.WithKey(r.Key.Key).WithValue(fmt.Sprint(len(r.Headers)))
					to.Headers, to.Time = nil, to.Time.Add(time.Hour)
					return to
				}).To(out)
		})
		b.send("words:a=1@30,h", "words:a=1@25,h")
		for _, o := range b.Sent {
			if string(o.Value) != "1" || o.Time > 3_600_030 {
				t.Errorf("%s: a window saw %s headers and sent time %d", name, o.Value, o.Time)
			}
		}
	}
}

func TestAnUnlimitedWindowNeverCloses(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		grouped(b).WindowedBy(window.Unlimited(time.UnixMilli(5))).Count("win", store.NoCache()).
			Then(kstream.FromTable).Map(func(k window.Key[string], n int64) (string, string) {
			return k.Key, fmt.Sprint(k.Start().UnixMilli(), ":", n)
		}).To(out)
	})
	b.send("words:a=1@4", "words:a=1@5", "words:a=1@1700000000000", "words:a=1@6")
	b.expect("out:a=5:1@5", "out:a=5:2@1700000000000", "out:a=5:3@1700000000000")
}

func TestWindowsForwardTheirLastUpdateAtTheCommit(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		texts(grouped(b).WindowedBy(window.Tumbling(10*ms)).Reduce("win", join))
	})
	b.send("words:a=1@3,h", "words:b=2@4,i", "words:a=3@2,j")
	b.expect()
	b.commit()
	b.expect("out:b[0,10]=2@4,i", "out:a[0,10]=13@3,j")
}

func TestLateRecordsGoToTheirTopicOnceEach(t *testing.T) {
	late := words.Named("late")
	for name, fold := range map[string]func(g ktable.Grouped[string, string]){
		"hopping": func(g ktable.Grouped[string, string]) {
			g.WindowedBy(window.Hopping(10*ms, 5*ms)).LateTo(late).Count("win", store.NoCache())
		},
		"sliding": func(g ktable.Grouped[string, string]) {
			g.WindowedBy(window.Sliding(10*ms)).LateTo(late).Count("win", store.NoCache())
		},
		"session": func(g ktable.Grouped[string, string]) {
			g.WindowedBySession(window.Session(10*ms)).LateTo(late).Count("win", store.NoCache())
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := wire(t, func(b *topology.Builder) { fold(grouped(b)) })
			b.send("words:a=1@100", "words:b=2@12,h", "words:a=3@101", "words:-=4@13", "words:b=5@200", "words:b=6@12,i")
			b.expect("late:b=2@12,h", "late:b=6@12,i")
			if b.Dropped["win late"] < 2 {
				t.Errorf("dropped %v", b.Dropped)
			}
		})
	}
}

// TestSlidingWindowsHoldWhatFitsIntoThem compares with windows computed from all records at once.
func TestSlidingWindowsHoldWhatFitsIntoThem(t *testing.T) {
	const diff = 10
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := wire(t, func(b *topology.Builder) {
			texts(grouped(b).WindowedBy(window.Sliding(diff*ms).Grace(time.Hour)).Count("win", store.NoCache(), store.Retention(24*time.Hour)))
		})
		var times []int64
		for range 30 {
			at := rng.Int64N(60)
			times = append(times, at)
			b.send(fmt.Sprintf("words:a=x@%d", at))
		}
		got := map[string]string{}
		for _, o := range b.Sent {
			got[string(o.Key)] = string(o.Value)
		}
		want := map[string]string{}
		add := func(start int64) {
			n := 0
			for _, at := range times {
				if start <= at && at <= start+diff {
					n++
				}
			}
			if n > 0 {
				want[fmt.Sprintf("a[%d,%d]", start, start+diff)] = fmt.Sprint(n)
			}
		}
		for _, at := range times {
			add(max(0, at-diff))
			add(at + 1)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: times %v\n got %v\nwant %v", seed, times, got, want)
		}
	}
}

// TestSessionsAreGroupsWithoutAGap compares with sessions computed from all records at once.
func TestSessionsAreGroupsWithoutAGap(t *testing.T) {
	const gap = 5
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		b := wire(t, func(b *topology.Builder) {
			texts(grouped(b).WindowedBySession(window.Session(gap*ms).Grace(time.Hour)).Count("win", store.NoCache()))
		})
		var times []int64
		for range 25 {
			at := rng.Int64N(150)
			times = append(times, at)
			b.send(fmt.Sprintf("words:a=x@%d", at))
		}
		got := map[string]string{}
		for _, o := range b.Sent {
			if got[string(o.Key)] = string(o.Value); o.Value == nil {
				delete(got, string(o.Key))
			}
		}
		slices.Sort(times)
		want := map[string]string{}
		for i := 0; i < len(times); {
			j := i
			for j+1 < len(times) && times[j+1]-times[j] <= gap {
				j++
			}
			want[fmt.Sprintf("a[%d,%d]", times[i], times[j])] = fmt.Sprint(j - i + 1)
			i = j + 1
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: times %v\n got %v\nwant %v", seed, times, got, want)
		}
	}
}

func TestSessionsAreSentWithTheirEndAndWithHeadersOnlyAtTheCommit(t *testing.T) {
	program := func(opts ...store.Option) func(b *topology.Builder) {
		return func(b *topology.Builder) {
			w := grouped(b).WindowedBySession(window.Session(10 * ms).Grace(50 * ms))
			texts(w.Aggregate("win", serde.String, nil, func(_, v, a string) string { return a + v },
				func(_, a, b string) string { return "(" + a + "&" + b + ")" }, opts...))
		}
	}
	b := wire(t, program(store.NoCache()))
	b.send("words:a=1@10,h", "words:a=2@30", "words:a=3@20,i", "words:b=4@30", "words:b=5@30")
	b.expect("out:a[10,10]=1@10", "out:a[30,30]=2@30", "out:a[10,10]=-@10", "out:a[30,30]=-@30", "out:a[10,30]=((&1)&2)3@30",
		"out:b[30,30]=4@30", "out:b[30,30]=(&4)5@30") // in its place, which is not deleted first
	b = wire(t, program())
	b.send("words:a=1@10,h", "words:a=2@30")
	b.commit()
	b.send("words:a=3@20,i")
	b.commit()
	b.expect("out:a[10,10]=1@10,h", "out:a[30,30]=2@30", "out:a[10,10]=-@10,i", "out:a[30,30]=-@30,i", "out:a[10,30]=((&1)&2)3@30,i")
}

// list is an aggregate that is changed in place.
func appended(_, v string, a map[string]int) map[string]int {
	if a == nil {
		a = map[string]int{}
	}
	a[v]++
	return a
}

func TestAggregatesChangedInPlaceAreNotSharedBetweenWindows(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		w := grouped(b).WindowedBy(window.Sliding(10 * ms).Grace(time.Hour))
		texts(w.Aggregate("win", serde.JSON[map[string]int](), nil, appended, store.NoCache()))
	})
	b.send("words:a=x@50", "words:a=y@45", "words:a=z@40")
	got := map[string]string{}
	for _, o := range b.Sent {
		got[string(o.Key)] = string(o.Value)
	}
	want := map[string]string{
		"a[40,50]": "map[x:1 y:1 z:1]", "a[46,56]": "map[x:1]", "a[35,45]": "map[y:1 z:1]", "a[41,51]": "map[x:1 y:1]", "a[30,40]": "map[z:1]",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestWindowsSeeNullsOnlyOfNullableSerdesAndSlidingOnesNone(t *testing.T) {
	nullable := topology.NewTopic("words", serde.String, serde.Nullable(serde.String))
	show := func(_ string, v *string, a string) string {
		if v == nil {
			return a + "∅"
		}
		return a + *v
	}
	b := wire(t, func(b *topology.Builder) {
		g := kstream.From(b, nullable).GroupByKey()
		texts(g.WindowedBy(window.Tumbling(10*ms)).Aggregate("time", serde.String, nil, show, store.NoCache()))
		texts(g.WindowedBy(window.Sliding(1*ms)).Aggregate("sliding", serde.String, nil, show, store.NoCache()))
	})
	b.send("words:a=x@3", "words:a=-@4")
	b.expect("out:a[0,10]=x@3", "out:a[2,3]=x@3", "out:a[0,10]=x∅@4")
	if b.Dropped["sliding null-value"] != 1 || len(b.Dropped) != 1 {
		t.Errorf("dropped %v", b.Dropped)
	}
}

// closing sends records, with jumps of event time, through windows that are sent when they close.
func closing(t *testing.T, windows func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64], records ...string) *bench {
	t.Helper()
	b := wire(t, func(b *topology.Builder) { texts(windows(grouped(b))) })
	for _, r := range records {
		b.send(r)
		b.commit()
	}
	return b
}

var jumps = []string{"words:a=1@3", "words:b=1@7,h", "words:b=1@26,i", "words:a=1@24", "words:a=1@600000,j", "words:b=1@700000000,k"}

func TestEachClosedWindowIsSentOnceAlsoBehindAJumpOfTime(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.InMemory()}, {store.NoCache()}} {
		b := closing(t, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBy(window.Tumbling(10*ms).Grace(5*ms)).EmitOnClose().Count("win", opts...)
		}, jumps...)
		b.expect("out:a[0,10]=1@3,i", "out:b[0,10]=1@7,i", "out:a[20,30]=1@24,j", "out:b[20,30]=1@26,j", "out:a[600000,600010]=1@600000,k")
		b = closing(t, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBy(window.Sliding(10*ms).Grace(5*ms)).EmitOnClose().Count("win", opts...)
		}, jumps...)
		b.expect("out:a[0,10]=1@3,i", "out:b[0,10]=1@7,i", "out:a[14,24]=1@24,j", "out:b[16,26]=1@26,j", "out:a[599990,600000]=1@600000,k")
		b = closing(t, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBySession(window.Session(10*ms)).EmitOnClose().Count("win", opts...)
		}, jumps...)
		b.expect("out:a[3,3]=1@3,i", "out:b[7,7]=1@7,i", "out:a[24,24]=1@24,j", "out:b[26,26]=1@26,j", "out:a[600000,600000]=1@600000,k")
	}
}

// How far results were sent is what Kafka Streams has in the metadata of its offsets: as recorded with these records, which an
// app of either kind must be able to go on behind.
func TestHowFarResultsWereSentIsKeptAsByKafkaStreams(t *testing.T) {
	type build = func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64]
	hopping := func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
		return g.WindowedBy(window.Hopping(20*ms, 10*ms).Grace(5 * ms)).EmitOnClose().Count("win")
	}
	sliding := func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
		return g.WindowedBy(window.Sliding(10 * ms).Grace(5 * ms)).EmitOnClose().Count("win")
	}
	session := func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
		return g.WindowedBySession(window.Session(10 * ms).Grace(5 * ms)).EmitOnClose().Count("win")
	}
	for _, c := range []struct {
		windows build
		times   []int64 // of records of one key
		want    int64
	}{
		{hopping, []int64{11, 11, 13, 15, 17, 7, 24}, -1}, // none can have closed
		{hopping, []int64{0, 2, 4, 6, 28, 24, 30, 32, 34, 36, 39, 40}, 31},
		{sliding, []int64{16, 17, 22, 24, 26, 34, 45, 50, 51, 52}, 47}, // none waits that ends there
		{session, []int64{5, 55, 52, 57, 62, 63, 67, 70, 75, 82, 84, 97}, 82},
	} {
		var records []string
		for _, at := range c.times {
			records = append(records, fmt.Sprintf("words:a=1@%d", at))
		}
		if got := closing(t, c.windows, records...).Clock("win").Now(); got != c.want {
			t.Errorf("after %v: %d, want %d", c.times, got, c.want)
		}
	}
}

func TestEmitRetainedLeavesOutWhatHasExpired(t *testing.T) {
	b := closing(t, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
		return g.WindowedBy(window.Tumbling(10*ms).Grace(5*ms)).EmitOnClose(ktable.EmitRetained()).Count("win", store.NoCache())
	}, jumps...)
	b.expect()
}

func TestClosedWindowsAreLookedForOncePerInterval(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		texts(grouped(b).WindowedBy(window.Tumbling(10 * ms)).EmitOnClose(ktable.EmitEvery(time.Second)).Count("win"))
	})
	b.Wall = 1_000_000
	b.send("words:a=1@3", "words:a=1@13", "words:a=1@23")
	b.Wall += 999
	b.send("words:a=1@33")
	b.expect()
	b.Wall++
	b.send("words:a=1@34")
	b.expect("out:a[0,10]=1@3", "out:a[10,20]=1@13", "out:a[20,30]=1@23")
}

func TestWhatWasLateOrSentStaysSoAfterACrash(t *testing.T) {
	b := topology.NewBuilder()
	w := grouped(b).WindowedBy(window.Tumbling(10 * ms).Grace(5 * ms))
	texts(w.EmitOnClose().Count("closed"))
	w.Count("live").To(topology.NewTopic("live", window.KeySerde(serde.String, 10*ms), serde.Int64))
	d := kstest.New(t, topology.Must(b.Build()))
	in, got := d.Input(words), d.Output(out)
	at := func(n int64) time.Time { return time.UnixMilli(n) }
	in.SendAt(at(3), "a", "1")
	in.SendAt(at(18), "b", "1")
	got.Expect(kstest.KV("a[0,10]", "1"))
	d.Crash()
	in.SendAt(at(4), "a", "late")
	in.SendAt(at(26), "b", "1")
	got.Expect(kstest.KV("b[10,20]", "1"))
	got.ExpectNone()
	if n := d.Dropped()["late"]; n != 2 {
		t.Errorf("%d late, want one of each step", n)
	}
}

func TestTheFirstChangeOfAWindowHasWhatItBeganWithAsOldValue(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		t := grouped(b).WindowedBy(window.Tumbling(10*ms)).Count("win", store.NoCache())
		kstream.FromChanges(t).Map(func(k window.Key[string], c kstream.Change[int64]) (string, string) {
			return k.Key, fmt.Sprint(c.Old, c.HasOld, c.New)
		}).To(out)
	})
	b.send("words:a=1@3", "words:a=1@4")
	b.expect("out:a=0 true 1@3", "out:a=1 true 2@4")
}

func TestFoldsOfWindowsSayWhichClocksTheyAskFor(t *testing.T) {
	run := wire(t, clocked)
	var declared []string
	sub := run.Plan.Subs[0]
	for _, n := range sub.Nodes {
		declared = append(declared, n.Clocks...)
	}
	for _, d := range sub.Stores {
		declared = append(declared, d.Name+"/t")
	}
	slices.Sort(declared)
	if declared = slices.Compact(declared); !slices.Equal(run.Clocks(), declared) {
		t.Errorf("asked for %q\ndeclared  %q", run.Clocks(), declared)
	}
}

// clocked is windows of all kinds.
func clocked(b *topology.Builder) {
	g := grouped(b)
	w := g.WindowedBy(window.Sliding(10 * ms))
	w.Count("a")
	w.EmitOnClose().Count("b")
	s := g.WindowedBySession(window.Session(10 * ms))
	s.Count("c")
	s.EmitOnClose().Count("d")
	c := g.Cogroup(func(_, v, a string) string { return a + v }).And(g, func(_, v, a string) string { return a + v })
	c.WindowedBy(window.Tumbling(10*ms)).Aggregate("e", nil, nil)
	c.WindowedBy(window.Tumbling(10*ms)).EmitOnClose().Aggregate("f", nil, nil)
}

func TestAllWindowsOfAKeyAreInThePartitionOfTheKey(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		g := grouped(b)
		g.WindowedBy(window.Tumbling(10*ms)).Count("win", store.NoCache()).To(topology.NewTopic("windows", window.KeySerde(serde.String, 10*ms), serde.Int64))
		g.WindowedBySession(window.Session(ms)).Count("ses", store.NoCache()).To(topology.NewTopic("sessions", window.SessionKeySerde(serde.String), serde.Int64))
	})
	b.Counts["windows"], b.Counts["sessions"] = 7, 7
	for i, key := range []string{"a", "b", "some key", "another"} {
		b.send(fmt.Sprintf("words:%s=x@%d", key, 100+20*i))
		for _, o := range b.Sent {
			if want := partition.Of([]byte(key), 7); o.Partition != want {
				t.Errorf("%s of %s goes to partition %d, want that of the key, %d", o.Topic, key, o.Partition, want)
			}
		}
		if len(b.Sent) != 2 {
			t.Errorf("%d sent", len(b.Sent))
		}
		b.Sent = nil
	}
}

func TestMistakesWithWindowsAreReported(t *testing.T) {
	other := topology.NewBuilder()
	for want, program := range map[string]func(b *topology.Builder){
		"Retention(5ms) is less than the 20ms": func(b *topology.Builder) {
			grouped(b).WindowedBy(window.Tumbling(10*ms).Grace(10*ms)).Count("n", store.Retention(5*ms))
		},
		"an unlimited window never closes": func(b *topology.Builder) {
			grouped(b).WindowedBy(window.Unlimited(time.Time{})).EmitOnClose().Count("n")
		},
		"the windows are nil": func(b *topology.Builder) { grouped(b).WindowedBy(nil).Count("n") },
		"windows of size 0s":  func(b *topology.Builder) { grouped(b).WindowedBy(window.Tumbling(0)).Count("n") },
		"EmitEvery(-1s) is negative": func(b *topology.Builder) {
			grouped(b).WindowedBySession(window.Session(ms)).EmitOnClose(ktable.EmitEvery(-time.Second)).Count("n")
		},
		"Aggregate(\"n\"): the function is nil": func(b *topology.Builder) {
			grouped(b).WindowedBySession(window.Session(ms)).Aggregate("n", serde.String, nil, func(_, v, a string) string { return a }, nil)
		},
		"no serde for value type map[string]int: pass one": func(b *topology.Builder) {
			grouped(b).WindowedBy(window.Tumbling(ms)).Aggregate("n", nil, nil, appended)
		},
		"the other side belongs to another Builder": func(b *topology.Builder) {
			add := func(_, v, a string) string { return a + v }
			grouped(b).Cogroup(add).And(grouped(other), add).Aggregate("n", nil, nil)
		},
		"Cogroup: the function is nil": func(b *topology.Builder) {
			ktable.Cogrouped[string, string](grouped(b).Cogroup[string](nil)).Aggregate("n", nil, nil)
		},
		"merges sessions is nil": func(b *topology.Builder) {
			grouped(b).Cogroup(func(_, v, a string) string { return a }).WindowedBySession(window.Session(ms), nil).Aggregate("n", nil, nil)
		},
		"WindowStore: the table has no store of windows": func(b *topology.Builder) {
			ktable.WindowStore(grouped(b).WindowedBySession(window.Session(ms)).Count("n"))
		},
		"SessionStore: the table has no store of sessions": func(b *topology.Builder) {
			ktable.SessionStore(grouped(b).WindowedBySession(window.Session(ms)).Count("n").Filter(func(window.Key[string], int64) bool { return true }))
		},
	} {
		b := topology.NewBuilder()
		program(b)
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestFoldingWindowsAllocatesLittle(t *testing.T) {
	for name, c := range map[string]struct {
		most  float64
		table func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64]
	}{
		"tumbling": {1, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBy(window.Tumbling(time.Minute)).Count("n", store.NoCache())
		}},
		"hopping": {1, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBy(window.Hopping(time.Minute, 20*time.Second)).Count("n", store.NoCache())
		}},
		"on close": {1, func(g ktable.Grouped[string, string]) ktable.Table[window.Key[string], int64] {
			return g.WindowedBy(window.Tumbling(time.Minute)).EmitOnClose().Count("n")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := wire(t, func(b *topology.Builder) {
				c.table(grouped(b)).To(topology.NewTopic("tally", window.KeySerde(serde.String, time.Minute), serde.Int64))
			})
			b.Quiet = true
			f := b.Source("words")
			in := &record.In{Key: []byte("some key"), Value: []byte{}, Time: 1_700_000_000_000}
			run := func() { m := b.Meta(); *m = record.Meta{Time: in.Time}; f(m, in) }
			run()
			if n := testing.AllocsPerRun(1000, run); n > c.most {
				t.Errorf("%v allocations per record, want at most %v: the decoded key", n, c.most)
			}
		})
	}
}
