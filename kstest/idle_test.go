package kstest_test

import (
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

var (
	quietIn  = topology.NewTopic("quiet-in", serde.String, serde.String)
	quietOut = topology.NewTopic("quiet-out", window.KeySerde(serde.String, 10*time.Second), serde.Int64)
	quietRow = topology.NewTopic("quiet-rows", serde.String, serde.String)
)

// Windows close, and what is suppressed is sent, although nothing comes any more: behind a repartition too.
func TestFinalResultsAppearOnQuietInputWhereAsked(t *testing.T) {
	for name, final := range map[string]func(w ktable.Windowed[string, string]) ktable.Table[window.Key[string], int64]{
		"suppressed": func(w ktable.Windowed[string, string]) ktable.Table[window.Key[string], int64] {
			return w.Count("counts").SuppressUntil("final", window.Closed)
		},
		"on close": func(w ktable.Windowed[string, string]) ktable.Table[window.Key[string], int64] {
			return w.EmitOnClose().Count("counts")
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, idle := range []bool{false, true} {
				b := topology.NewBuilder()
				if idle {
					b.IdleAfter(time.Minute)
				}
				g := kstream.From(b, quietIn).GroupBy("by-value", func(_, v string) string { return v })
				final(g.WindowedBy(window.Tumbling(10 * time.Second).Grace(5 * time.Second))).To(quietOut)
				d := kstest.New(t, topology.Must(b.Build()))
				in, out := d.Input(quietIn), d.Output(quietOut)
				in.SendAt(time.Unix(1001, 0), "k", "a")
				in.SendAt(time.Unix(1002, 0), "k", "a")
				d.Advance(59 * time.Second)
				out.ExpectNone() // 1001 + 59 s would be enough for the window, but the input has not been quiet for long
				d.Advance(time.Second)
				if !idle {
					d.Advance(time.Hour)
					out.ExpectNone()
					continue
				}
				key := window.Key[string]{Key: "a", Span: window.Between(time.Unix(1000, 0), time.Unix(1010, 0))}
				out.Expect(kstest.KV(key, int64(2)))
				in.SendAt(time.Unix(1003, 0), "k", "a") // late now, and late after a restart
				d.Crash()
				in.SendAt(time.Unix(1004, 0), "k", "a")
				d.Advance(time.Hour)
				out.ExpectNone()
			}
		})
	}
}

func TestATaskWithRecordsIsNotIdle(t *testing.T) {
	b := topology.NewBuilder()
	b.IdleAfter(time.Minute)
	ktable.From(b, quietRow, "rows").Suppress("calm", 100*time.Second).To(quietRow.Named("calm"))
	d := kstest.New(t, topology.Must(b.Build()))
	in, out := d.Input(quietRow), d.Output(quietRow.Named("calm"))
	in.SendAt(time.Unix(1000, 0), "a", "1")
	for range 10 { // event time stands still, the wall clock does not
		d.Advance(50 * time.Second)
		in.SendAt(time.Unix(1000, 0), "a", "2")
	}
	out.ExpectNone()
	d.Advance(99 * time.Second)
	out.ExpectNone()
	d.Advance(time.Second)
	out.Expect(kstest.KV("a", "2"))
}

func TestRowsReachTheirTimeToLiveOnQuietInput(t *testing.T) {
	b := topology.NewBuilder()
	b.IdleAfter(time.Minute)
	ktable.From(b, quietRow, "rows", store.TTL(time.Hour)).To(quietRow.Named("out"))
	d := kstest.New(t, topology.Must(b.Build()))
	in, out := d.Input(quietRow), d.Output(quietRow.Named("out"))
	in.SendAt(time.Unix(1000, 0), "a", "1")
	out.Expect(kstest.KV("a", "1"))
	d.Advance(59 * time.Minute)
	out.ExpectNone()
	d.Advance(time.Minute)
	out.Expect(kstest.Deleted[string, string]("a"))
	d.Crash()
	in.SendAt(time.Unix(1000, 0), "b", "1")
	out.Expect(kstest.KV("b", "1"))
}
