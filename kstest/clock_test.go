package kstest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
)

// ticking sends a record a minute of wall-clock time and one a second of stream time, and asks for a commit when told to.
func ticking(closed *int) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, lines).Process("clock", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		t.EveryWall(time.Minute, func(now time.Time) error {
			out.Send("wall", fmt.Sprint(now.Unix()))
			return nil
		})
		t.EveryStream(time.Second, func(now time.Time) error {
			out.Send("stream", fmt.Sprint(now.Unix()))
			return nil
		})
		t.OnClose(func() { *closed++ })
		return func(_ context.Context, r topology.Record[string, string]) error {
			if r.Value == "commit" {
				t.RequestCommit()
			}
			if r.Value == "error" {
				return fmt.Errorf("no")
			}
			return nil
		}
	}).To(loud)
	return topology.Must(b.Build())
}

func TestTimersRunWhenTheirTimeComes(t *testing.T) {
	closed := 0
	d := kstest.New(t, ticking(&closed))
	in, out := d.Input(lines), d.Output(loud)
	out.ExpectNone()
	d.Advance(59 * time.Second)
	out.ExpectNone()
	d.Advance(time.Second)
	out.Expect(kstest.KV("wall", "60"))
	d.Advance(10 * time.Minute) // once, however far
	out.Expect(kstest.KV("wall", "660"))
	out.ExpectNone()
	in.SendAt(time.Unix(5, 0), "k", "v")
	out.Expect(kstest.KV("stream", "5"))
	in.SendAt(time.Unix(5, 1e8), "k", "v")
	out.ExpectNone()
	in.SendAt(time.Unix(6, 0), "k", "v")
	out.Expect(kstest.KV("stream", "6"))

	// Stream time comes back with the committed offsets, and timers are made anew.
	d.Crash()
	out.Expect(kstest.KV("stream", "6"))
	out.ExpectNone()
	if closed != 1 {
		t.Errorf("OnClose ran %d times at the crash, want once", closed)
	}
	d.Close()
	d.Close()
	if closed != 2 {
		t.Errorf("OnClose ran %d times in all, want twice", closed)
	}
}

func TestTheClockDoesNotGoBack(t *testing.T) {
	watch(func(t testing.TB) {
		closed := 0
		kstest.New(t, ticking(&closed)).Advance(-time.Second)
	}).want(t, true, "time does not go back")
}

func TestAProcessorMayAskForTheCommit(t *testing.T) {
	closed := 0
	d := kstest.New(t, ticking(&closed), kstest.ManualCommit())
	in, out := d.Input(lines), d.Output(loud)
	in.SendAt(time.Unix(1, 0), "k", "v")
	out.ExpectNone()
	in.SendAt(time.Unix(1, 0), "k", "commit")
	out.Expect(kstest.KV("stream", "1"))
}

func TestAClosedDriverSaysSo(t *testing.T) {
	for name, use := range map[string]func(d *kstest.Driver){
		"Send":    func(d *kstest.Driver) { d.Input(lines).Send("k", "v") },
		"Advance": func(d *kstest.Driver) { d.Advance(time.Second) },
		"Commit":  func(d *kstest.Driver) { d.Commit() },
		"Crash":   func(d *kstest.Driver) { d.Crash() },
	} {
		r := watch(func(t testing.TB) {
			d := kstest.New(t, shout())
			d.Close()
			use(d)
		})
		if len(r.failures) != 1 || r.failures[0] != "kstest: the driver is closed" {
			t.Errorf("%s: %q", name, r.failures)
		}
	}
}
