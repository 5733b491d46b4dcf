package cluster

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// All runs every case in every way, some at the same time, and returns the runs in the order of the cases.
func (r Runner) All(ctx context.Context, cases []*Case, ways []Way, parallel int) []*Run {
	runs := make([]*Run, len(cases)*len(ways))
	next := make(chan int)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for i := range next {
				for j, way := range ways { // one after the other: they are the same topics
					runs[i*len(ways)+j] = r.Run(ctx, cases[i], way, io.Discard)
				}
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	workers.Wait()
	return runs
}

// Report writes how many cases are identical in every way they were run, and a line for each that is not. It reports whether
// all are.
func Report(w io.Writer, runs []*Run) bool {
	cases, bad := map[*Case]bool{}, map[*Case]bool{}
	var lines []string
	for _, run := range runs {
		cases[run.Case] = true
		if run.OK() {
			continue
		}
		bad[run.Case] = true
		what := ""
		if run.Err != nil {
			what = strings.ReplaceAll(run.Err.Error(), "\n", "; ")
		} else {
			what = run.Diff.String()
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s (alone: make conformance-cluster SHOW=%s)", run.Case.Name, run.Way, what, run.Case.Name))
	}
	fmt.Fprintf(w, "cluster: %d of %d cases identical\n", len(cases)-len(bad), len(cases))
	for _, l := range lines {
		fmt.Fprintln(w, l)
	}
	return len(bad) == 0
}

// Named returns the case of a name, or those with it in their name.
func Named(cases []*Case, name string) []*Case {
	found := slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return c.Name != name })
	if len(found) == 0 {
		found = slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return !strings.Contains(c.Name, name) })
	}
	return found
}

// Show writes a run in full: topology, what was fed, and what was recorded beside what was seen.
func (run *Run) Show(w io.Writer) {
	c := run.Case
	fmt.Fprintf(w, "case %s, %s, %+v\n", c.Name, run.Way, c.Config)
	for _, n := range c.Topology {
		fmt.Fprintf(w, "  %s\n", n)
	}
	for phase, seen := range run.Seen {
		fmt.Fprintf(w, "phase %d\n", phase+1)
		for i, b := range c.Phases[phase].Batches {
			for _, in := range b {
				fmt.Fprintf(w, "  %3d  %s\n", i, in)
			}
		}
		want := c.Phases[phase]
		var before map[string]Topic
		if phase > 0 {
			before = run.Seen[phase-1].Topics
		}
		accounts := c.accounts(phase)
		for _, topic := range slices.Sorted(maps.Keys(c.Compare)) {
			for _, a := range accounts {
				mode := a.modes[topic]
				title := string(mode)
				if a.kept {
					if _, differs := want.Uninterrupted[topic]; !differs {
						continue
					}
					title += ", without the restart"
				}
				for i := range a.topics[topic].Partitions {
					fmt.Fprintf(w, " %s/%d %s\n", topic, i, title)
					beside(w, mode.view(c.changelog(topic), records(a.before[topic], i), records(a.topics[topic], i)),
						mode.view(c.changelog(topic), records(before[topic], i), records(seen.Topics[topic], i)))
				}
			}
		}
		closing := c.closing()
		for _, topic := range slices.Sorted(maps.Keys(want.Result.Offsets)) {
			fmt.Fprintf(w, " offsets %s\n", topic)
			var one, two []string
			for _, o := range want.Result.Offsets[topic] {
				one = append(one, o.text(closing))
			}
			for _, o := range seen.Offsets[topic] {
				two = append(two, o.text(closing))
			}
			beside(w, one, two)
		}
		fmt.Fprintln(w, " tasks")
		beside(w, []string{fmt.Sprint(want.Result.Tasks)}, []string{fmt.Sprint(seen.Tasks)})
		fmt.Fprintln(w, " dropped")
		beside(w, []string{fmt.Sprint(want.Result.Dropped)}, []string{fmt.Sprint(seen.Dropped)})
	}
	switch {
	case run.Err != nil:
		fmt.Fprintf(w, "cannot be run: %v\n\n", run.Err)
	case run.Diff != nil:
		fmt.Fprintf(w, "NOT identical: %s\n\n", run.Diff)
	case run.Kept:
		fmt.Fprint(w, "identical, as without the restart\n\n")
	default:
		fmt.Fprint(w, "identical\n\n")
	}
}

// beside writes what was recorded beside what was seen, and marks the lines that differ.
func beside(w io.Writer, want, got []string) {
	for i := range max(len(want), len(got)) {
		var a, b string
		if i < len(want) {
			a = want[i]
		}
		if i < len(got) {
			b = got[i]
		}
		mark := " "
		if a != b {
			mark = ">"
		}
		fmt.Fprintf(w, "%s %3d  %-60s   %s\n", mark, i, a, b)
	}
}

func (in Input) String() string {
	show := func(s *string) string {
		if s == nil {
			return "∅"
		}
		return *s
	}
	return fmt.Sprintf("%s/%d  %s=%s @%d", in.Topic, in.Partition, show(in.Key), show(in.Value), in.Time)
}
