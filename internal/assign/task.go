package assign

// A task is partition number partition of every topic of a running variant that has so many.
type task struct {
	sub       int // index of the variant
	partition int32
	inputs    []TopicPartition
	owner     int   // member that owns most of its inputs and can run it; -1: none
	disk      []int // by member: cost of opening the task there, from 0 (closest disk) to diskCost; nil: the same everywhere
}

const nobody = -1

// split returns the tasks of all running variants, by variant and partition.
func split(running []*variant, partitions map[string]int32, members []Member, holder map[TopicPartition]int) []task {
	offsets := map[TopicPartition][]int64{} // by changelog partition, then member
	for i, m := range members {
		for _, d := range m.Disk {
			tp := TopicPartition{d.Changelog, d.Partition}
			if offsets[tp] == nil {
				offsets[tp] = make([]int64, len(members))
			}
			offsets[tp][i] = d.Offset
		}
	}
	var tasks []task
	for sub, v := range running {
		for p := range v.tasks {
			t := task{sub: sub, partition: p, owner: nobody}
			for _, topic := range v.Topics {
				if p < partitions[topic] {
					t.inputs = append(t.inputs, TopicPartition{topic, p})
				}
			}
			t.owner = owner(t.inputs, v.members, holder)
			if v.Stateful {
				t.disk = diskCosts(v, p, offsets, len(members))
			}
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// owner returns which of the members owns most of the inputs; of several the first.
func owner(inputs []TopicPartition, members []int, holder map[TopicPartition]int) int {
	best, most := nobody, 0
	for _, m := range members {
		n := 0
		for _, tp := range inputs {
			if h, ok := holder[tp]; ok && h == m {
				n++
			}
		}
		if n > most {
			best, most = m, n
		}
	}
	return best
}

// diskCosts grades the members by how much of the task's changelogs they would have to read: 0 for the one with the
// most on its disk, diskCost for one with nothing, nil if no disk has anything. Offsets can be compared without knowing
// the end of the changelog.
func diskCosts(v *variant, partition int32, offsets map[TopicPartition][]int64, members int) []int {
	sums := make([]int64, members)
	var best int64
	for _, changelog := range v.Changelogs {
		for m, o := range offsets[TopicPartition{changelog, partition}] {
			if sums[m] += o; sums[m] < 0 {
				sums[m] = 1<<63 - 1
			}
		}
	}
	for _, m := range v.members {
		best = max(best, sums[m])
	}
	if best == 0 {
		return nil
	}
	costs := make([]int, members)
	for _, m := range v.members {
		if behind := best - sums[m]; behind > 0 {
			costs[m] = 1 + int(float64(behind)/float64(best)*(diskCost-1)) // never 0: the closest disk wins, however close the next
		}
	}
	return costs
}
