package kstream_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

var (
	joinLeft  = topology.NewTopic("l", serde.String, serde.String)
	joinRight = topology.NewTopic("r", serde.String, serde.String)
	joinOut   = topology.NewTopic("out", serde.String, serde.String)
)

const ms = time.Millisecond

func sides(l string, lok bool, r string, rok bool) string {
	if !lok {
		l = "-"
	}
	if !rok {
		r = "-"
	}
	return l + r
}

// outerJoin is the topology of most tests: an outer join that looks at each chance.
func outerJoin(w window.JoinWindows, opts ...store.Option) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, joinLeft).OuterJoinStream("j", kstream.From(b, joinRight), w.EmitEvery(0), sides, opts...).To(joinOut)
	return topology.Must(b.Build())
}

// ends are the three ends of a join in a driver.
type ends struct {
	*kstest.Driver
	l, r *kstest.Input[string, string]
	out  *kstest.Output[string, string]
}

func drive(t *testing.T, top *topology.Topology, opts ...kstest.Option) ends {
	d := kstest.New(t, top, opts...)
	return ends{d, d.Input(joinLeft), d.Input(joinRight), d.Output(joinOut)}
}

func milli(n int64) time.Time { return time.UnixMilli(n) }

// rest spells what was sent: key, value, and time.
func (e ends) rest() string {
	var all []string
	for _, r := range e.out.Rest() {
		all = append(all, fmt.Sprintf("%s=%s@%d", r.Key, r.Value, r.Time.UnixMilli()))
	}
	return strings.Join(all, " ")
}

func (e ends) expect(t *testing.T, want string) {
	t.Helper()
	if got := e.rest(); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestRecordsOfEqualKeyAndTimeAllComeBackAfterACrash(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.InMemory()}} {
		e := drive(t, outerJoin(window.Within(10*ms).Grace(50*ms), opts...), kstest.ManualCommit())
		for _, v := range []string{"a", "b", "a"} { // in one transaction
			e.l.SendRecord(topology.Record[string, string]{Key: "k", Value: v, Time: milli(10), Headers: topology.Headers{{Key: "h", Value: []byte(v)}}})
		}
		e.Commit()
		e.Crash()
		e.l.SendAt(milli(10), "k", "c")
		e.Commit()
		e.Crash()
		e.r.SendAt(milli(15), "k", "X")
		e.Commit()
		e.expect(t, "k=aX@15 k=bX@15 k=aX@15 k=cX@15")
	}
}

func TestNumbersOfRowsGoOnAfterACrash(t *testing.T) {
	e := drive(t, outerJoin(window.Within(10*ms)))
	log := e.Output(topology.NewTopic("app-j-outer-this-join-store-changelog", serde.Bytes, serde.Nullable(serde.String)))
	for i := range 3 {
		if i > 0 {
			e.Crash()
		}
		e.l.SendAt(milli(10), "k", "v")
		e.l.SendRecord(topology.Record[string, string]{Key: "k", Time: milli(10)}.WithoutValue())
	}
	var keys []string
	for _, r := range log.Rest() {
		keys = append(keys, fmt.Sprintf("%x", r.Key[9:]))
	}
	want := []string{"00000001", "00000002", "00000003", "00000004", "00000005", "00000006"}
	if !slices.Equal(keys, want) {
		t.Errorf("numbers %v, want %v", keys, want)
	}
}

func TestRecordsThatWaitForAPartnerComeBackAfterACrash(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.InMemory()}} {
		e := drive(t, outerJoin(window.Within(10*ms), opts...))
		e.l.SendAt(milli(10), "k", "a")
		e.l.SendAt(milli(10), "k", "b")
		e.r.SendAt(milli(11), "m", "x")
		e.l.SendAt(milli(12), "n", "c")
		e.r.SendAt(milli(13), "n", "y")
		e.expect(t, "n=cy@13")
		e.Crash()
		e.r.SendAt(milli(100), "z", "z")
		e.expect(t, "k=a-@10 k=b-@10 m=-x@11")
		e.Crash()
		e.r.SendAt(milli(200), "z", "z")
		e.expect(t, "z=-z@100")
	}
}

func TestRecordsThatWaitAreFoundAfterACrashAlsoWhereWindowAndGraceAreNothing(t *testing.T) {
	e := drive(t, outerJoin(window.Within(0).Before(5*ms)))
	e.l.SendAt(milli(10), "k", "a")
	e.Crash()
	e.l.SendAt(milli(30), "m", "b")
	e.expect(t, "k=a-@10")
}

func TestALateRecordStaysLateAfterACrash(t *testing.T) {
	run := func(crash bool) string {
		e := drive(t, outerJoin(window.Within(10*ms).Grace(20*ms)))
		e.l.SendAt(milli(10), "k", "a")
		e.r.SendAt(milli(1000), "tick", "t")
		e.l.SendAt(milli(1000), "tick", "u")
		if crash {
			e.Crash()
		}
		e.r.SendAt(milli(12), "k", "x") // the window closed long ago: what it would have met is gone
		e.l.SendAt(milli(14), "k", "b")
		return e.rest()
	}
	if with, without := run(true), run(false); with != without || !strings.HasSuffix(with, "k=-x@12 k=b-@14") {
		t.Errorf("with a crash %q, without %q: want the same, and late records to meet nothing", with, without)
	}
}

func TestARecordTooLateToMeetItselfIsSoAfterACrash(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, joinLeft).JoinSelf("j", window.Within(10*ms).Grace(20*ms), func(a, b string) string { return a + b }).To(joinOut)
	d := kstest.New(t, topology.Must(b.Build()))
	e := ends{Driver: d, l: d.Input(joinLeft), out: d.Output(joinOut)}
	e.l.SendAt(milli(1000), "tick", "t")
	e.expect(t, "tick=tt@1000")
	e.Crash()
	e.l.SendAt(milli(961), "k", "a") // 20 for the window, 20 for the grace
	e.expect(t, "")
}

// Which record finds that windows have closed is as in Kafka Streams, and does not follow from what waits alone.
func TestWhatWaitsIsSentByTheSameRecordAfterACrash(t *testing.T) {
	run := func(seed uint64, crash bool) (sent []string) {
		r := rand.New(rand.NewPCG(seed, 2))
		e := drive(t, outerJoin(window.Within(0).Before(3*ms).After(8*ms).Grace(5*ms)))
		now := int64(0)
		for i := range 60 {
			if crash {
				e.Crash()
			}
			now += int64(r.IntN(8))
			in := []*kstest.Input[string, string]{e.l, e.r}[r.IntN(2)]
			in.SendAt(milli(max(now-int64(r.IntN(10)), 0)), string(rune('a'+r.IntN(3))), fmt.Sprint(i))
			sent = append(sent, e.rest())
		}
		return sent
	}
	for seed := range uint64(20) {
		if with, without := run(seed, true), run(seed, false); !slices.Equal(with, without) {
			t.Fatalf("seed %d: sent with crashes\n%q, without\n%q", seed, with, without)
		}
	}
}

func TestARecordThatFailsBehindTheJoinLeavesNothingInItsStores(t *testing.T) {
	b := topology.NewBuilder()
	fails := true
	kstream.From(b, joinLeft).
		OuterJoinStream("j", kstream.From(b, joinRight), window.Within(10*ms).EmitEvery(0), sides).
		TryMapValues(func(s string) (string, error) {
			if fails && s == "bad!x" {
				return "", fmt.Errorf("bad")
			}
			return s, nil
		}).To(joinOut)
	e := drive(t, topology.Must(b.Build()), kstest.ManualCommit(), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Skip() }))
	e.l.SendAt(milli(10), "k", "bad!")
	e.r.SendAt(milli(12), "k", "x") // is skipped: as if it had never come
	fails = false
	e.r.SendAt(milli(13), "k", "y")
	e.l.SendAt(milli(100), "z", "z")
	e.Commit()
	e.expect(t, "k=bad!y@13")
	if n := len(e.Errors()); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}

func TestWhatARecordThatFailedHadSentIsSentByTheNext(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, joinLeft).
		OuterJoinStream("j", kstream.From(b, joinRight), window.Within(10*ms).EmitEvery(0), sides).
		TryMapValues(func(s string) (string, error) {
			if s == "bad!" {
				return "", fmt.Errorf("bad")
			}
			return s, nil
		}).To(joinOut)
	e := drive(t, topology.Must(b.Build()), kstest.OnError(func(*topology.RecordError) topology.Action { return topology.Skip() }))
	e.l.SendAt(milli(10), "k", "a")
	e.l.SendAt(milli(20), "x", "bad")
	e.r.SendAt(milli(21), "x", "!") // closes the window of the first, then meets the second and fails
	e.expect(t, "")
	e.r.SendAt(milli(22), "z", "z")
	e.expect(t, "k=a-@10")
}

func TestJoinsOfStreamsAreCheckedWhenBuilt(t *testing.T) {
	for _, c := range []struct {
		name, want string
		add        func(b *topology.Builder, l, r kstream.Stream[string, string])
	}{
		{"left key changed", `JoinStream("j") needs records partitioned by their new key`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.SelectKey(func(_, v string) string { return v }).JoinStream("j", r, window.Within(0), func(a, b string) string { return a + b })
		}},
		{"right key changed", `OuterJoinStream("j") needs records partitioned by their new key`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.OuterJoinStream("j", r.SelectKey(func(_, v string) string { return v }), window.Within(0), sides)
		}},
		{"window", `the join window ends before it starts`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.JoinStream("j", r, window.Within(ms).After(-2*ms), func(a, b string) string { return a + b })
		}},
		{"self window", `the join window ends before it starts`, func(_ *topology.Builder, l, _ kstream.Stream[string, string]) {
			l.JoinSelf("j", window.Within(ms).After(-2*ms), func(a, b string) string { return a + b })
		}},
		{"option", `a join of streams takes InMemory, NoChangelog and TopicConfig`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.JoinStream("j", r, window.Within(ms), func(a, b string) string { return a + b }, store.Retention(time.Hour))
		}},
		{"name", `store "j-this-join-store" already used`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.JoinStream("j", r, window.Within(ms), func(a, b string) string { return a + b })
			l.JoinSelf("j", window.Within(ms), func(a, b string) string { return a + b })
		}},
		{"nil", `JoinStream("j"): the function is nil`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.JoinStream[string, string]("j", r, window.Within(ms), nil)
		}},
		{"serde", `no serde for value type []string`, func(_ *topology.Builder, l, r kstream.Stream[string, string]) {
			l.MapValues(strings.Fields).JoinStream("j", r, window.Within(ms), func(a []string, b string) string { return b })
		}},
		{"builders", `belongs to another Builder`, func(_ *topology.Builder, l, _ kstream.Stream[string, string]) {
			l.JoinStream("j", kstream.From(topology.NewBuilder(), joinRight), window.Within(ms), func(a, b string) string { return a + b })
		}},
	} {
		b := topology.NewBuilder()
		c.add(b, kstream.From(b, joinLeft), kstream.From(b, joinRight))
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Build returned %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRecordsOnlyOfOneSideAreRememberedAsLongAsTheWindowNeeds(t *testing.T) {
	e := drive(t, outerJoin(window.Within(10*ms).Grace(5*time.Minute)))
	for i := range int64(20) { // twenty minutes: segments of two and a half
		e.l.SendAt(time.Unix(60*i, 0), "k", "v")
	}
	var left []int64
	for _, row := range e.JoinStore[string, string]("j-outer-this-join-store") {
		left = append(left, row.Time.Unix()/60)
	}
	if want := []int64{14, 15, 16, 17, 18, 19}; !slices.Equal(left, want) {
		t.Errorf("minutes kept: %v, want %v", left, want)
	}
}

// State taken over from Kafka Streams comes without the time of the join: the rows of both sides say it, so that what was late
// stays late.
func TestRowsTellAJoinWithoutAClockItsTime(t *testing.T) {
	dbs := map[string]store.DB{}
	stores := func(d *decl.Store) store.DB {
		if dbs[d.Name] == nil {
			dbs[d.Name] = memstore.Open(d.Name)
		}
		return dbs[d.Name]
	}
	top := outerJoin(window.Within(20 * ms).Grace(10 * ms))
	send := func(r *wiretest.Run, topic, key string, at int64) {
		if f := r.Feed(topic, record.In{Key: []byte(key), Value: []byte(key), Time: at}); f != nil {
			t.Fatal(f.Err)
		}
	}
	for _, topic := range []string{"l", "r"} {
		clear(dbs)
		send(wiretest.New(t, top, 0, stores), topic, "a", 100)
		again := wiretest.New(t, top, 0, stores)
		send(again, "r", "b", 10) // its window is over
		expect(t, again, "out:b=-b@10")
	}
}

// A joinEvent is a record of one side.
type joinEvent struct {
	topology.Record[string, string]
	left bool
}

// pairs is a dumb join: all pairs of records whose times lie within the window, and the records that are in none. One that
// comes when its window is over, and meets none then, is sent alone at once, and may be met later nevertheless: those are
// extra.
func pairs(events []joinEvent, before, after int64) (out, extra []string) {
	now := int64(0)
	for i, e := range events {
		at := e.Time.UnixMilli()
		now = max(now, at)
		early, late := false, false // met by what came before, or after it
		for j, o := range events {
			l, r := e, o
			if !e.left {
				l, r = o, e
			}
			d := r.Time.UnixMilli() - l.Time.UnixMilli()
			if e.left == o.left || e.Key != o.Key || d < -before || d > after {
				continue
			}
			if j < i {
				early = true
				out = append(out, fmt.Sprintf("%s=%s@%d", e.Key, l.Value+r.Value, max(at, o.Time.UnixMilli())))
			} else {
				late = true
			}
		}
		reach, value := after, e.Value+"-"
		if !e.left {
			reach, value = before, "-"+e.Value
		}
		alone := fmt.Sprintf("%s=%s@%d", e.Key, value, at)
		switch {
		case !early && !late:
			out = append(out, alone)
		case !early && at+reach < now:
			extra = append(extra, alone)
		}
	}
	return out, extra
}

func TestAJoinSendsEveryPairOnceAndEveryRecordWithoutOneHoweverItIsCutByCommitsAndCrashes(t *testing.T) {
	const disorder = 15
	alone := regexp.MustCompile(`^[a-z]=(-\d+|\d+-)@`)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		before, after := int64(r.IntN(20)), int64(r.IntN(20))
		var opts []store.Option
		if seed%2 == 1 {
			opts = append(opts, store.InMemory())
		}
		e := drive(t, outerJoin(window.Within(0).Before(time.Duration(before)*ms).After(time.Duration(after)*ms).Grace(disorder*ms), opts...), kstest.ManualCommit())
		var events []joinEvent
		send := func(rec topology.Record[string, string], left bool) {
			events = append(events, joinEvent{rec, left})
			if left {
				e.l.SendRecord(rec)
			} else {
				e.r.SendRecord(rec)
			}
		}
		now := int64(0)
		for i := range 80 {
			now += int64(r.IntN(6))
			send(topology.Record[string, string]{
				Key: string(rune('a' + r.IntN(3))), Value: fmt.Sprint(i), Time: milli(max(now-int64(r.IntN(disorder)), 0)),
			}, r.IntN(2) == 0)
			switch r.IntN(12) {
			case 0:
				if seed%4 > 1 {
					e.Crash()
				}
			case 1, 2, 3:
				e.Commit()
			}
		}
		for i := range int64(4) { // until all windows have closed, however they are looked for
			tick := topology.Record[string, string]{Key: "tick", Value: fmt.Sprint("t", i), Time: milli(now + 1000*(i+1))}
			send(tick, true)
			send(tick, false)
		}
		e.Commit()
		got := strings.Fields(e.rest())
		want, extra := pairs(events, before, after)
		if seed%4 > 1 { // after a crash both sides are read again in the order of time: other records are late
			got = slices.DeleteFunc(got, func(s string) bool { return alone.MatchString(s) && !slices.Contains(want, s) })
			extra = nil
		}
		want = append(want, extra...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: sent\n%v, want\n%v", seed, got, want)
		}
	}
}
