package conformance

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
)

// differs are cases in which crashes show, by their names: a list to be judged and shortened.
const differs = "testdata/crash.txt"

// Between any two steps the app may be killed and started anew: what comes back from changelogs and offsets goes on as if
// nothing had happened. Left out are cases with what a restart does change: timers (they begin anew), results held back by
// wall-clock time, stores without a changelog, and global tables (their source is read, and counted, again).
func TestCrashesChangeNothing(t *testing.T) {
	text, err := os.ReadFile(differs)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(text))
	for _, c := range corpus(t) {
		if intended(c) || c.Expected.Error != nil || !c.survives() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			diff := Check(c, Options{Between: func(d *kstest.Driver) {
				if r.IntN(3) == 0 {
					d.Crash()
				}
			}})
			switch known := slices.Contains(listed, c.Name); {
			case diff != nil && !known:
				t.Error(diff)
			case diff == nil && known:
				t.Errorf("identical, but listed in %s: take it off the list", differs)
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
