package assign

import (
	"slices"
	"testing"
)

// FuzzAssign: whatever members say of themselves, every partition of a topic that exists is given at most once, and to a member
// that reads it.
func FuzzAssign(f *testing.F) {
	f.Add(AppendMember(nil, sample()), AppendMember(nil, sample()), uint8(3))
	f.Add(AppendMember(nil, sample()), AppendMember(nil, Member{Process: "old", Counter: 1, Subs: []Sub{{Fingerprint: "a1", Topics: []string{"lines", "lines"}}}}), uint8(1))
	f.Add(AppendMember(nil, Member{}), AppendMember(nil, Member{Subs: []Sub{{Stateful: true}, {Topics: []string{"lines"}}, {Topics: []string{"lines"}}}}), uint8(0))
	f.Fuzz(func(t *testing.T, first, second []byte, count uint8) {
		var members []Member
		for i, src := range [][]byte{first, second} {
			m, err := DecodeMember(src)
			if err != nil {
				return
			}
			m.ID = string(rune('a' + i))
			members = append(members, m)
		}
		partitions := map[string]int32{"lines": int32(count % 8), "more": 2, "app-by-word-repartition": 4}
		owned := map[string][]TopicPartition{"a": {{"lines", 0}, {"gone", 9}}, "b": {{"lines", 0}, {"more", 1}}}
		plan, _ := Assign(members, partitions, owned)
		given := map[TopicPartition]string{}
		for id, topics := range plan {
			i := slices.IndexFunc(members, func(m Member) bool { return m.ID == id })
			if i < 0 {
				t.Fatalf("%q is no member: %v", id, plan)
			}
			for topic, parts := range topics {
				reads := slices.ContainsFunc(members[i].Subs, func(s Sub) bool { return slices.Contains(s.Topics, topic) })
				for _, p := range parts {
					tp := TopicPartition{topic, p}
					if other, twice := given[tp]; twice || !reads || p < 0 || p >= partitions[topic] {
						t.Fatalf("%v goes to %s, which reads it: %v; and to %q before", tp, id, reads, other)
					}
					given[tp] = id
				}
			}
		}
		for id, topics := range HandOver(members, plan, owned) {
			for topic, parts := range topics {
				for _, p := range parts {
					if given[TopicPartition{topic, p}] != id {
						t.Fatalf("%s/%d is handed to %s, and planned for %q", topic, p, id, given[TopicPartition{topic, p}])
					}
				}
			}
		}
	})
}
