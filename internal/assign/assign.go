package assign

import (
	"cmp"
	"slices"
)

// A Plan says which partitions each member reads: member id → topic → partitions in order. Every member has an entry.
type Plan map[string]map[string][]int32

// Assign distributes all tasks over the members. partitions has the number of partitions of each source topic; a
// subtopology with a topic that is not in it waits, and is named in problems (*UnknownTopicError, *YieldError). owned is
// what each member owns now, by member id.
//
// Every partition of every source topic is in the plan exactly once, except those of subtopologies that wait. Equal
// input gives an equal plan, whatever its order.
func Assign(members []Member, partitions map[string]int32, owned map[string][]TopicPartition) (plan Plan, problems []error) {
	members = ordered(members)
	holder := holders(members, owned)
	running, problems := contest(members, partitions, holder)
	tasks := split(running, partitions, members, holder)
	at := spread(tasks, running, len(members))

	plan = Plan{}
	for _, m := range members {
		plan[m.ID] = map[string][]int32{}
	}
	for i, t := range tasks {
		topics := plan[members[at[i]].ID]
		for _, tp := range t.inputs {
			topics[tp.Topic] = append(topics[tp.Topic], tp.Partition) // tasks come in order of their partition
		}
	}
	return plan, problems
}

// ordered returns the members in an order that outlives restarts, with their lists sorted.
func ordered(members []Member) []Member {
	out := make([]Member, len(members))
	for i, m := range members {
		out[i] = m.normal()
	}
	slices.SortFunc(out, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.ID, b.ID)) })
	return out
}

// holders says which member (by index) owns each partition. Of two that claim one, the first has it.
func holders(members []Member, owned map[string][]TopicPartition) map[TopicPartition]int {
	holder := map[TopicPartition]int{}
	for i, m := range members {
		for _, tp := range owned[m.ID] {
			if _, taken := holder[tp]; !taken {
				holder[tp] = i
			}
		}
	}
	return holder
}
