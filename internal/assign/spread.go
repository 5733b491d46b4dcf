package assign

import (
	"cmp"
	"math"
	"slices"
)

// Costs of a distribution, beside the squares of the members' loads, which come first. What makes a subtopology lie evenly
// is the sum of the squares of its tasks on each member, times a weight: to even out a difference of n tasks saves
// 2*(n-1)*weight for each task moved. With the weight below, and an average of a tasks per member, tasks leave their owner
// for it when n > 2 + a/2.
const (
	moveCost = 1000 // of a task that leaves its owner
	diskCost = 800  // of a task on a member that has nothing of its state; less than moveCost: a disk never takes a task from its owner
)

// weight returns what the square of the tasks of a variant on a member costs.
func weight(v *variant) int {
	m := len(v.members)
	return max(1, moveCost*m/(2*m+int(v.tasks)))
}

// spread gives each task a member: the index of the member, by task. It starts with every task at its owner, puts the
// others where there is least to do, and then moves single tasks and exchanges pairs of them while that makes the whole
// cheaper. The result is a local optimum: no move and no exchange improves it.
//
// Why a second run on the result changes nothing: with out the result, c the costs without moveCost, and moved(a, b) the
// tasks that differ, a better neighbour x of out would have c(x) + moveCost*moved(out, x) < c(out). Seen from the former
// owners, c(x) + moveCost*moved(old, x) <= c(x) + moveCost*(moved(old, out) + moved(out, x)) < c(out) +
// moveCost*moved(old, out), so that the first run would have taken it.
func spread(tasks []task, running []*variant, members int) []int {
	s := newSpreading(tasks, running, members)
	for i, t := range tasks {
		if t.owner != nobody {
			s.put(i, t.owner)
		}
	}
	for i, t := range tasks {
		if t.owner == nobody {
			s.put(i, s.emptiest(t.sub))
		}
	}
	for s.level() {
	}
	for changed := true; changed; {
		changed = false
		for x := range members {
			for y := x + 1; y < members; y++ {
				for s.improve(x, y) {
					changed = true
				}
			}
		}
	}
	return s.at
}

// spreading is a distribution under way.
type spreading struct {
	tasks  []task
	weight []int     // by variant: see weight
	can    [][]bool  // by variant and member: may it run the tasks?
	at     []int     // by task: its member, or nobody
	load   []int     // by member: tasks
	held   [][][]int // by variant and member: its tasks, in order
}

func newSpreading(tasks []task, running []*variant, members int) *spreading {
	s := &spreading{tasks: tasks, at: make([]int, len(tasks)), load: make([]int, members)}
	for i := range s.at {
		s.at[i] = nobody
	}
	for _, v := range running {
		can := make([]bool, members)
		for _, m := range v.members {
			can[m] = true
		}
		s.weight = append(s.weight, weight(v))
		s.can = append(s.can, can)
		s.held = append(s.held, make([][]int, members))
	}
	return s
}

// put moves a task to a member.
func (s *spreading) put(task, member int) {
	sub := s.tasks[task].sub
	if from := s.at[task]; from != nobody {
		i, _ := slices.BinarySearch(s.held[sub][from], task)
		s.held[sub][from] = slices.Delete(s.held[sub][from], i, i+1)
		s.load[from]--
	}
	i, _ := slices.BinarySearch(s.held[sub][member], task)
	s.held[sub][member] = slices.Insert(s.held[sub][member], i, task)
	s.load[member]++
	s.at[task] = member
}

// cost is what a task alone costs on a member.
func (s *spreading) cost(task, member int) int {
	t, c := &s.tasks[task], 0
	if t.owner != member { // a task without an owner costs that much everywhere
		c = moveCost
	}
	if t.disk != nil {
		c += t.disk[member]
	}
	return c
}

// emptiest returns the member with the fewest tasks, of those that can run the variant; of several the one with the fewest
// of the variant, of those the first.
func (s *spreading) emptiest(sub int) int {
	best := nobody
	for m, can := range s.can[sub] {
		if can && (best == nobody || cmp.Or(cmp.Compare(s.load[m], s.load[best]), cmp.Compare(len(s.held[sub][m]), len(s.held[sub][best]))) < 0) {
			best = m
		}
	}
	return best
}

// A move is the cheapest task of one subtopology to go from one member to another.
type move struct {
	task  int
	alone int // change of the costs of the task itself
	rest  int // the same with the change of the subtopology's evenness
}

var noMove = move{task: nobody, rest: math.MaxInt / 4, alone: math.MaxInt / 4}

// moveOf returns the cheapest move of a subtopology from x to y.
func (s *spreading) moveOf(sub, x, y int) move {
	best := noMove
	if !s.can[sub][x] || !s.can[sub][y] {
		return best
	}
	uneven := 2 * s.weight[sub] * (len(s.held[sub][y]) - len(s.held[sub][x]) + 1)
	for _, t := range s.held[sub][x] {
		if alone := s.cost(t, y) - s.cost(t, x); alone < best.alone {
			best = move{t, alone, alone + uneven}
		}
	}
	return best
}

// level moves one task from a member with most tasks to a member with fewest, the one that costs least to move; false if
// their loads are level, or no such task can be moved. Members with few tasks are filled up before any member gives more
// than it must: going pair by pair from the start would take twice as many tasks from their owners.
func (s *spreading) level() bool {
	y, high := argmin(s.load), slices.Max(s.load)
	if high-s.load[y] < 2 {
		return false
	}
	best := noMove
	for x, n := range s.load {
		if n < high {
			continue
		}
		for sub := range s.held {
			if m := s.moveOf(sub, x, y); m.rest < best.rest {
				best = m
			}
		}
	}
	if best.task == nobody {
		return false
	}
	s.put(best.task, y)
	return true
}

func argmin(loads []int) (at int) {
	for i, n := range loads {
		if n < loads[at] {
			at = i
		}
	}
	return at
}

// improve makes the best change between two members, if there is one that makes the distribution cheaper: a task from one
// to the other, or an exchange.
func (s *spreading) improve(x, y int) bool {
	xy, yx := noMove, noMove // the cheapest of all subtopologies
	give, take := noMove, noMove
	bestLoad, bestRest := 0, 0
	consider := func(load, rest int, g, t move) {
		if load < bestLoad || load == bestLoad && rest < bestRest {
			bestLoad, bestRest, give, take = load, rest, g, t
		}
	}
	for sub := range s.held {
		g, t := s.moveOf(sub, x, y), s.moveOf(sub, y, x)
		if g.task != nobody && t.task != nobody {
			consider(0, g.alone+t.alone, g, t) // within a subtopology an exchange leaves it as even as it was
		}
		if g.rest < xy.rest {
			xy = g
		}
		if t.rest < yx.rest {
			yx = t
		}
	}
	if xy.task != nobody {
		consider(2*(s.load[y]-s.load[x]+1), xy.rest, xy, noMove)
	}
	if yx.task != nobody {
		consider(2*(s.load[x]-s.load[y]+1), yx.rest, noMove, yx)
	}
	if xy.task != nobody && yx.task != nobody {
		// Between two subtopologies the costs add up. If both are the same one the sum is too high, but then no exchange
		// with a third can be cheaper than nothing either unless the one within, considered above, is too.
		consider(0, xy.rest+yx.rest, xy, yx)
	}
	if give.task != nobody {
		s.put(give.task, y)
	}
	if take.task != nobody {
		s.put(take.task, x)
	}
	return give.task != nobody || take.task != nobody
}
