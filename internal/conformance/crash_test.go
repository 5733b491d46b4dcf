package conformance

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
)

// differs are cases in which a crash shows when they are run as they were recorded: their names, and behind a colon why.
const differs = "testdata/crash.txt"

func readDiffers(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(differs)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, why, ok := strings.Cut(line, ": ")
		if !ok || len(strings.TrimSpace(why)) < 10 {
			t.Fatalf("%s: %q: want a name, a colon and a reason", differs, line)
		}
		names[name] = true
	}
	return names
}

// crashes are Options.Between that kill the app before every third step or so, the same ones each time.
func crashes() func(*kstest.Driver) {
	r := rand.New(rand.NewPCG(1, 2))
	return func(d *kstest.Driver) {
		if r.IntN(3) == 0 {
			d.Crash()
		}
	}
}

// Between any two steps the app may be killed and started anew: what comes back from changelogs and offsets goes on as if
// nothing had happened. Left out are cases with what a restart does change: timers (they begin anew), results held back by
// wall-clock time, stores without a changelog, and global tables (their source is read, and counted, again).
func TestCrashesChangeNothing(t *testing.T) {
	listed, seen := readDiffers(t), 0
	for _, c := range corpus(t) {
		if intended(c) || c.Expected.Error != nil || !c.survives() {
			continue
		}
		if listed[c.Name] {
			seen++
		}
		t.Run(c.Name, func(t *testing.T) {
			switch diff := Check(c, Options{Between: crashes()}); {
			case diff != nil && !listed[c.Name]:
				t.Error(diff)
			case diff == nil && listed[c.Name]:
				t.Errorf("identical, but listed in %s: take it off the list", differs)
			}
		})
	}
	if seen != len(listed) {
		t.Errorf("%s lists %d cases, of which %d are run", differs, len(listed), seen)
	}
}

// The same where each subtopology is a task of its own and changelogs are Millrace's, not those of Kafka Streams' caches: no case
// is left out for what those forget.
func TestCrashesChangeNothingInTasksOfTheirOwn(t *testing.T) {
	for _, c := range corpus(t) {
		if c.Expected.Error != nil || !c.survives() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			without, _, err := Run(c, Options{Apart: true, Own: intended(c)})
			if err != nil {
				t.Fatal(err)
			}
			with, _, err := Run(c, Options{Apart: true, Own: intended(c), Between: crashes()})
			if err != nil {
				t.Fatal(err)
			}
			uninterrupted := *c
			uninterrupted.Expected = without
			if diff := uninterrupted.Compare(with); diff != nil {
				t.Error(diff)
			}
		})
	}
}

// survives reports whether a restart must not show.
func (c *Case) survives() bool {
	if c.Config.OuterJoinEmitMs > 0 || c.Config.WindowCloseEmitMs > 0 {
		return false
	}
	return !slices.ContainsFunc(c.Topology, func(n *Node) bool {
		return n.has("clock") || !n.flag("logging", true) || n.Op == "globalTable"
	})
}
