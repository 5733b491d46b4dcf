package kstest_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
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
	visits  = store.NewWindow("visits", serde.String, serde.String, 10*time.Second, time.Minute)
	arrived = store.NewWindow("arrived", serde.String, serde.String, 10*time.Second, time.Minute, store.Duplicates())
	stays   = store.NewSession("stays", serde.String, serde.String, time.Minute)
)

// visiting keeps each record in a window that starts with it, with others of its start and without, and in a session that
// starts a second before.
func visiting() *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("keep", func(t *topology.Task, _ topology.Out[string, string]) topology.Handler[string, string] {
		ws, ds, ss := t.Window(visits), t.Window(arrived), t.Session(stays)
		return func(_ context.Context, r topology.Record[string, string]) error {
			ws.Put(r.Key, r.Time, r.Value)
			ds.Put(r.Key, r.Time, r.Value)
			ss.Put(r.Key, window.Between(r.Time.Add(-time.Second), r.Time), r.Value)
			if r.Value == "gone" {
				ws.Delete(r.Key, r.Time)
				ss.Delete(r.Key, window.Between(r.Time.Add(-time.Second), r.Time))
			}
			return nil
		}
	}, visits, arrived, stays)
	return topology.Must(b.Build())
}

func spansOf(rows iter.Seq2[window.Span, string]) string {
	var b strings.Builder
	for s, v := range rows {
		fmt.Fprintf(&b, "%d-%d=%s ", s.Start().Unix(), s.End().Unix(), v)
	}
	return strings.TrimSpace(b.String())
}

func keysOf(rows iter.Seq2[window.Key[string], string]) string {
	var b strings.Builder
	for k, v := range rows {
		fmt.Fprintf(&b, "%s@%d-%d=%s ", k.Key, k.Start().Unix(), k.End().Unix(), v)
	}
	return strings.TrimSpace(b.String())
}

func at(seconds int64) time.Time { return time.Unix(seconds, 0) }

func TestWindowsAndSessionsAreReadOverAllPartitionsAndSurviveACrash(t *testing.T) {
	for _, partitions := range []int{1, 4} {
		d := kstest.New(t, visiting(), kstest.PartitionCount(partitions))
		in := d.Input(lines)
		for i, k := range []string{"a", "b", "c", "a", "b"} {
			in.SendAt(at(100+int64(i)), k, fmt.Sprint("v", i))
		}
		in.SendAt(at(103), "a", "w")
		in.SendAt(at(105), "a", "gone")
		ws, ds, ss := d.Windows(visits), d.Windows(arrived), d.Sessions(stays)
		for range 2 {
			end := at(1000)
			for name, c := range map[string]struct{ got, want string }{
				"Fetch":                   {spansOf(ws.Fetch("a", at(0), end)), "100-110=v0 103-113=w"},
				"FetchReverse":            {spansOf(ws.FetchReverse("a", at(0), end)), "103-113=w 100-110=v0"},
				"Fetch of some":           {spansOf(ws.Fetch("a", at(101), at(103))), "103-113=w"},
				"FetchAll":                {keysOf(ws.FetchAll(at(0), end)), "a@100-110=v0 b@101-111=v1 c@102-112=v2 a@103-113=w b@104-114=v4"},
				"FetchRange":              {keysOf(ws.FetchRange("b", "c", at(102), end)), "c@102-112=v2 b@104-114=v4"},
				"duplicates":              {spansOf(ds.Fetch("a", at(0), end)), "100-110=v0 103-113=v3 103-113=w 105-115=gone"},
				"duplicates, reverse":     {spansOf(ds.FetchReverse("a", at(0), at(104))), "103-113=w 103-113=v3 100-110=v0"},
				"duplicates of all":       {keysOf(ds.FetchAll(at(102), end)), "c@102-112=v2 a@103-113=v3 a@103-113=w b@104-114=v4 a@105-115=gone"},
				"duplicates of some keys": {keysOf(ds.FetchRange("b", "c", at(0), at(103))), "b@101-111=v1 c@102-112=v2"},
				"sessions of a key":       {spansOf(ss.Fetch("a")), "99-100=v0 102-103=w"},
				"sessions found":          {spansOf(ss.Find("a", at(101), at(102))), "102-103=w"},
				"sessions":                {keysOf(ss.FetchAll(at(101), end)), "b@100-101=v1 c@101-102=v2 a@102-103=w b@103-104=v4"},
			} {
				if c.got != c.want {
					t.Errorf("%d partitions, %s: %s, want %s", partitions, name, c.got, c.want)
				}
			}
			if row, ok := ws.GetRow("a", at(103)); !ok || row != (store.Row[string]{Value: "w", Time: at(103)}) {
				t.Errorf("GetRow: %v %v", row, ok)
			}
			if row, ok := ss.GetRow("b", window.Between(at(103), at(104))); !ok || row != (store.Row[string]{Value: "v4", Time: at(104)}) {
				t.Errorf("GetRow: %v %v", row, ok)
			}
			if row, ok := ds.GetRow("a", at(103)); !ok || row != (store.Row[string]{Value: "v3", Time: at(103)}) {
				t.Errorf("GetRow: %v %v", row, ok)
			}
			if _, ok := ws.Get("a", at(104)); ok {
				t.Error("a window that nobody put")
			}
			if v, ok := ds.Get("a", at(103)); !ok || v != "v3" {
				t.Errorf("the first of two is %q %v", v, ok)
			}
			if _, ok := ss.Get("a", window.Between(at(102), at(104))); ok {
				t.Error("a session that nobody put")
			}
			d.Crash()
		}
	}
}

func TestWhatExpiredIsHiddenFromTheTestAndStaysLateAfterACrash(t *testing.T) {
	d := kstest.New(t, visiting())
	in := d.Input(lines)
	in.SendAt(at(100), "a", "old")
	in.SendAt(at(400), "a", "new")
	for i := range 2 {
		if got := keysOf(d.Windows(visits).FetchAll(at(0), at(1000))) + keysOf(d.Sessions(stays).FetchAll(at(0), at(1000))); got != "a@400-410=newa@399-400=new" {
			t.Errorf("rows are %s", got)
		}
		d.Crash()
		in.SendAt(at(100), "a", "late")
		if n := d.Dropped()["expired-window"]; n != 3*(i+1) { // each store
			t.Errorf("%v were dropped, want %d", d.Dropped(), 3*(i+1))
		}
	}
}

func TestWindowsAndSessionsArePreparedByTheTest(t *testing.T) {
	d := kstest.New(t, visiting(), kstest.PartitionCount(4), kstest.StartingAt(at(50)))
	ws, ss := d.Windows(visits), d.Sessions(stays)
	for _, k := range []string{"a", "b", "c"} {
		ws.Put(k, at(30), k)
		ss.Put(k, window.Between(at(30), at(40)), k)
	}
	ws.Delete("b", at(30))
	ss.Delete("b", window.Between(at(30), at(40)))
	d.Crash()
	if got := keysOf(ws.FetchAll(at(0), at(100))); got != "a@30-40=a c@30-40=c" {
		t.Errorf("windows are %s", got)
	}
	if got := keysOf(ss.FetchAll(at(0), at(100))); got != "a@30-40=a c@30-40=c" {
		t.Errorf("sessions are %s", got)
	}
	if row, ok := ws.GetRow("c", at(30)); !ok || row.Time != at(50) {
		t.Errorf("a window that was put has the time %v, want the clock's", row.Time)
	}
	d.Input(lines).SendAt(at(30), "a", "record") // in the task that the row was put into
	if v, _ := ws.Get("a", at(30)); v != "record" {
		t.Errorf("the window has %q", v)
	}
	if got := spansOf(ws.Fetch("a", at(0), at(100))); got != "30-40=record" {
		t.Errorf("windows of a key are %s", got)
	}
}

// A change that comes too late to wait is sent at once, also if what made it late was taken up before a restart.
func TestAChangeTooLateToWaitIsSoAfterACrash(t *testing.T) {
	b := topology.NewBuilder()
	ktable.From(b, counts, "rows").Suppress("calm", 10*time.Millisecond).To(counts.Named("calm"))
	d := kstest.New(t, topology.Must(b.Build()))
	in, calm := d.Input(counts), d.Output(counts.Named("calm"))
	in.SendAt(time.UnixMilli(100), "waits", 1)
	d.Crash()
	in.SendAt(time.UnixMilli(85), "late", 2)
	calm.Expect(kstest.KV("late", int64(2)))
	calm.ExpectNone()
	d.Crash()
	in.SendAt(time.UnixMilli(110), "later", 3)
	calm.Expect(kstest.KV("waits", int64(1)))
	calm.ExpectNone()
}
