package assign

import (
	"cmp"
	"maps"
	"slices"
)

// A variant is a subtopology with the members that run it. While two versions of a topology share the group, there are
// variants that read the same topic.
type variant struct {
	Sub
	key     string
	members []int // in order
	tasks   int32 // the largest number of partitions among its topics
	owned   int   // partitions of topics read by other variants too that its members own now
}

// contest returns the variants that run, in order of their keys, so that no topic is read by two of them and none more
// could run.
func contest(members []Member, partitions map[string]int32, holder map[TopicPartition]int) (running []*variant, problems []error) {
	byKey := map[string]*variant{}
	for i, m := range members {
		for _, s := range m.Subs {
			v := byKey[s.key()]
			if v == nil {
				v = &variant{Sub: s, key: s.key()}
				byKey[v.key] = v
			}
			v.members = append(v.members, i)
		}
	}
	var all []*variant
	for _, key := range sortedKeys(byKey) {
		v := byKey[key]
		// A variant that cannot run must not keep another from running: it does not take part.
		if unknown := v.unknown(partitions); len(unknown) > 0 {
			problems = append(problems, unknown...)
			continue
		}
		for _, t := range v.Topics {
			v.tasks = max(v.tasks, partitions[t])
		}
		if len(v.Topics) > 0 {
			all = append(all, v)
		}
	}
	countOwned(all, holder)

	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b *variant) int {
		return cmp.Or(cmp.Compare(len(b.members), len(a.members)), cmp.Compare(b.owned, a.owned), cmp.Compare(a.key, b.key))
	})
	reads := map[string]*variant{} // by topic: who runs it
	type loser struct {
		*variant
		shared string
	}
	var losers []loser
	for _, v := range ranked {
		if i := slices.IndexFunc(v.Topics, func(t string) bool { return reads[t] != nil }); i >= 0 {
			losers = append(losers, loser{v, v.Topics[i]})
			continue
		}
		for _, t := range v.Topics {
			reads[t] = v
		}
		running = append(running, v)
	}
	for _, l := range losers {
		waiting := slices.DeleteFunc(slices.Clone(l.Topics), func(t string) bool { return reads[t] != nil })
		if len(waiting) > 0 {
			problems = append(problems, &YieldError{waiting, l.Fingerprint, reads[l.shared].Fingerprint, l.shared})
		}
	}
	slices.SortFunc(running, func(a, b *variant) int { return cmp.Compare(a.key, b.key) })
	return running, problems
}

func (v *variant) unknown(partitions map[string]int32) (problems []error) {
	for _, t := range v.Topics {
		if partitions[t] <= 0 {
			problems = append(problems, &UnknownTopicError{t, v.Fingerprint})
		}
	}
	return problems
}

// countOwned counts, for each variant, the partitions of contested topics that its members own.
func countOwned(all []*variant, holder map[TopicPartition]int) {
	readers := map[string]int{}
	for _, v := range all {
		for _, t := range v.Topics {
			readers[t]++
		}
	}
	for tp, m := range holder {
		if readers[tp.Topic] < 2 {
			continue
		}
		for _, v := range all {
			_, reads := slices.BinarySearch(v.Topics, tp.Topic)
			_, runs := slices.BinarySearch(v.members, m)
			if reads && runs {
				v.owned++
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
