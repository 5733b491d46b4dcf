package assign

import "slices"

// HandOver returns what each member may own at once: plan without the tasks of which another member still owns a
// partition. Their owners see them missing, finish and give them up, and the next round gives them on. A task is kept
// back whole, so that no member sits on half of one.
func HandOver(members []Member, plan Plan, owned map[string][]TopicPartition) Plan {
	claims := map[TopicPartition][]string{}
	for _, m := range members {
		for _, tp := range owned[m.ID] {
			claims[tp] = append(claims[tp], m.ID)
		}
	}
	now := Plan{}
	for _, m := range members {
		back := map[TopicPartition]bool{}
		for _, s := range m.Subs {
			for _, p := range busy(s, m.ID, plan[m.ID], claims) {
				for _, t := range s.Topics {
					back[TopicPartition{t, p}] = true
				}
			}
		}
		now[m.ID] = map[string][]int32{}
		for t, ps := range plan[m.ID] {
			ps = slices.DeleteFunc(slices.Clone(ps), func(p int32) bool { return back[TopicPartition{t, p}] })
			if len(ps) > 0 {
				now[m.ID][t] = ps
			}
		}
	}
	return now
}

// busy returns the partitions of the tasks of s that member is to run and of which another member owns a topic's
// partition.
func busy(s Sub, member string, topics map[string][]int32, claims map[TopicPartition][]string) (partitions []int32) {
	for _, t := range s.Topics {
		for _, p := range topics[t] {
			if slices.ContainsFunc(claims[TopicPartition{t, p}], func(h string) bool { return h != member }) {
				partitions = append(partitions, p)
			}
		}
	}
	return partitions
}
