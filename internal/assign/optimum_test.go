package assign

import (
	"math/rand/v2"
	"testing"
)

// price computes the cost of a distribution from scratch, as the comment on spread says it: first the squares of the
// loads, then the rest.
func price(tasks []task, running []*variant, members int, at []int) (load, rest int) {
	loads := make([]int, members)
	held := make([]map[int]int, len(running))
	for i, t := range tasks {
		loads[at[i]]++
		if held[t.sub] == nil {
			held[t.sub] = map[int]int{}
		}
		held[t.sub][at[i]]++
		if t.owner != nobody && t.owner != at[i] {
			rest += moveCost
		}
		if t.disk != nil {
			rest += t.disk[at[i]]
		}
	}
	for _, n := range loads {
		load += n * n
	}
	for sub, counts := range held {
		for _, n := range counts {
			rest += weight(running[sub]) * n * n
		}
	}
	return load, rest
}

func TestNoMoveAndNoExchangeOfTwoTasksIsCheaperThanTheResult(t *testing.T) {
	for seed := range uint64(seeds) {
		w := mixed(rand.New(rand.NewPCG(seed, 5)))
		members := ordered(w.members)
		holder := holders(members, w.owned)
		running, _ := contest(members, w.partitions, holder)
		tasks := split(running, w.partitions, members, holder)
		at := spread(tasks, running, len(members))
		load, rest := price(tasks, running, len(members), at)
		check := func(what string, a, b int) {
			if l, r := price(tasks, running, len(members), at); l < load || l == load && r < rest {
				t.Fatalf("seed %d: %s %d, %d: %d+%d instead of %d+%d", seed, what, a, b, l, r, load, rest)
			}
		}
		s := newSpreading(tasks, running, len(members))
		for i := range tasks {
			for m := range members {
				if s.can[tasks[i].sub][m] {
					old := at[i]
					at[i] = m
					check("move", i, m)
					at[i] = old
				}
			}
			for j := range i {
				if s.can[tasks[i].sub][at[j]] && s.can[tasks[j].sub][at[i]] {
					at[i], at[j] = at[j], at[i]
					check("exchange", i, j)
					at[i], at[j] = at[j], at[i]
				}
			}
		}
	}
}
