package assign

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// world is a consumer group in a test: members, topics, and what everybody owns.
type world struct {
	members    []Member
	partitions map[string]int32
	owned      map[string][]TopicPartition
	rounds     int
}

// adopt makes plan what everybody owns.
func (w *world) adopt(plan Plan) {
	w.owned = map[string][]TopicPartition{}
	for id, topics := range plan {
		for _, t := range sortedKeys(topics) {
			for _, p := range topics[t] {
				w.owned[id] = append(w.owned[id], TopicPartition{t, p})
			}
		}
	}
}

// assign runs Assign on a shuffled copy, which must not matter.
func (w *world) assign() (Plan, []error) { return Assign(w.members, w.partitions, w.owned) }

// randomSubs makes n subtopologies with topics of their own, some stateful.
func randomSubs(r *rand.Rand, n int, partitions map[string]int32) (subs []Sub) {
	for i := range n {
		s := Sub{Fingerprint: fmt.Sprintf("f%d", i)}
		for j := range 1 + r.IntN(3) {
			t := fmt.Sprintf("topic-%d-%d", i, j)
			partitions[t] = 1 + r.Int32N(12)
			s.Topics = append(s.Topics, t)
		}
		if r.IntN(2) == 0 {
			s.Stateful = true
			s.Changelogs = []string{fmt.Sprintf("app-store-%d-changelog", i)}
		}
		subs = append(subs, s)
	}
	return subs
}

func member(i int, subs []Sub) Member {
	return Member{ID: fmt.Sprintf("id-%d", i), Process: fmt.Sprintf("process-%d", i), Subs: subs}
}

// save gives each member the state of the tasks it runs, up to date, and keeps what it had before.
func (w *world) save(offset int64) {
	for i := range w.members {
		m := &w.members[i]
		for _, s := range m.Subs {
			for _, tp := range w.owned[m.ID] {
				if !slices.Contains(s.Topics, tp.Topic) {
					continue
				}
				for _, c := range s.Changelogs {
					m.Disk = slices.DeleteFunc(m.Disk, func(d Stored) bool { return d.Changelog == c && d.Partition == tp.Partition })
					m.Disk = append(m.Disk, Stored{c, tp.Partition, offset})
				}
			}
		}
	}
}

// loads counts the tasks of each member, and of each member by fingerprint.
func (w *world) loads(plan Plan) (all map[string]int, by map[string]map[string]int) {
	all, by = map[string]int{}, map[string]map[string]int{}
	for _, m := range w.members {
		for _, s := range m.Subs {
			tasks := map[int32]bool{}
			for _, t := range s.Topics {
				for _, p := range plan[m.ID][t] {
					tasks[p] = true
				}
			}
			if by[s.Fingerprint] == nil {
				by[s.Fingerprint] = map[string]int{}
			}
			by[s.Fingerprint][m.ID] = len(tasks)
			all[m.ID] += len(tasks)
		}
	}
	return all, by
}

func spreadOf(counts map[string]int) int {
	low, high := 1<<30, 0
	for _, n := range counts {
		low, high = min(low, n), max(high, n)
	}
	return high - low
}

// moved lists the partitions that change hands between two members that both are in the plans.
func moved(old, new Plan) (out []string) {
	where := map[TopicPartition]string{}
	for id, topics := range old {
		for t, ps := range topics {
			for _, p := range ps {
				where[TopicPartition{t, p}] = id
			}
		}
	}
	for id, topics := range new {
		for t, ps := range topics {
			for _, p := range ps {
				from := where[TopicPartition{t, p}]
				if _, still := new[from]; still && from != id {
					out = append(out, fmt.Sprintf("%s/%d %s→%s", t, p, from, id))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
