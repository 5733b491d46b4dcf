package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Variant is a way to run a case. The zero value is the plain one: in memory, with nullable types, a commit behind each
// record, and no restart.
type Variant struct {
	Seed     uint64 // of the moments
	Plain    bool   // types without nulls
	OneTask  bool   // all subtopologies are one task
	Between  int    // a commit between a record and what follows it, so many times in a hundred
	Manual   int    // above 0: a commit behind a record so many times in a hundred, instead of always
	Pebble   bool   // stores on disk
	Rebuild  int    // a crash before a record, so many times in a hundred: stores come back from changelogs alone
	Reopen   int    // a restart with the stores as they were closed
	Backward int    // on Pebble, a crash that takes the stores back to an earlier restart
}

// String spells the variant as Go does, without what it does not change.
func (v Variant) String() string {
	var parts []string
	say := func(yes bool, format string, args ...any) {
		if yes {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(v.Plain, "plain types")
	say(v.OneTask, "one task")
	say(v.Pebble, "on Pebble")
	say(v.Manual > 0, "commits behind %d%% of the records", v.Manual)
	say(v.Between > 0, "commits between, at %d%%", v.Between)
	say(v.Rebuild > 0, "%d%% rebuilt from changelogs", v.Rebuild)
	say(v.Reopen > 0, "%d%% reopened", v.Reopen)
	say(v.Backward > 0, "%d%% reopened as they were earlier", v.Backward)
	if len(parts) == 0 {
		return "plainly"
	}
	return strings.Join(parts, ", ")
}

// vary draws a variant that a case can be run in.
func vary(c *Case, r *rand.Rand, disk bool) Variant {
	often := func() int { return []int{0, 0, 5, 15, 40}[r.IntN(5)] }
	v := Variant{Seed: r.Uint64(), Pebble: disk}
	v.Plain = !c.nulls && r.IntN(2) == 0
	v.OneTask = c.oneTask && r.IntN(3) == 0
	if !c.eager {
		v.Manual = []int{0, 10, 30, 70}[r.IntN(4)]
	}
	v.Between, v.Rebuild, v.Reopen = often(), often(), often()
	if disk { // every restart opens and closes files
		v.Rebuild, v.Reopen, v.Backward = min(v.Rebuild, 5), 5, 5
	}
	return v
}

// calmer returns the variant without one of the things it does, for each of them.
func (v Variant) calmer() (vs []Variant) {
	for _, off := range []func(v *Variant){
		func(v *Variant) { v.Plain = false },
		func(v *Variant) { v.OneTask = false },
		func(v *Variant) { v.Pebble = false },
		func(v *Variant) { v.Manual = 0 },
		func(v *Variant) { v.Between = 0 },
		func(v *Variant) { v.Rebuild = 0 },
		func(v *Variant) { v.Reopen = 0 },
		func(v *Variant) { v.Backward = 0 },
	} {
		less := v
		if off(&less); less != v {
			vs = append(vs, less)
		}
	}
	return vs
}
