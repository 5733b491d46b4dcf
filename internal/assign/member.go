package assign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Member is what one member of the consumer group says about itself.
type Member struct {
	ID       string   // given by the group coordinator; not part of the user data
	Process  string   // the process id kept in the state directory: the same after a restart
	Endpoint string   // host:port where its stores are queried, "" for none
	Counter  uint32   // raised to force a rebalance: the coordinator compares the bytes of a subscription
	Subs     []Sub    // the subtopologies it runs
	Disk     []Stored // the changelogs it has rows of
}

// A Sub is a subtopology as one member runs it.
type Sub struct {
	Fingerprint string   // of everything in it that two members must agree on to run its tasks
	Topics      []string // full names of its source topics, those of repartition topics included
	Changelogs  []string // full names of its stores' changelog topics
	Stateful    bool     // it has stores, with changelogs or without
}

// Stored says how much of one changelog partition a process has on its disk.
type Stored struct {
	Changelog string // full name
	Partition int32
	Offset    int64 // next offset to read: the larger, the closer to the end
}

// A TopicPartition is a partition of a topic (full name).
type TopicPartition struct {
	Topic     string
	Partition int32
}

func (tp TopicPartition) String() string { return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition) }

// normal returns m with its lists sorted and without repetitions, so that equal members look and are written alike.
func (m Member) normal() Member {
	subs := make([]Sub, len(m.Subs))
	for i, s := range m.Subs {
		s.Topics, s.Changelogs = sortedSet(s.Topics), sortedSet(s.Changelogs)
		subs[i] = s
	}
	slices.SortFunc(subs, func(a, b Sub) int { return cmp.Compare(a.key(), b.key()) })
	m.Subs = slices.CompactFunc(subs, func(a, b Sub) bool { return a.key() == b.key() })

	disk := slices.Clone(m.Disk)
	slices.SortFunc(disk, func(a, b Stored) int {
		return cmp.Or(cmp.Compare(a.Changelog, b.Changelog), cmp.Compare(a.Partition, b.Partition), cmp.Compare(b.Offset, a.Offset))
	})
	m.Disk = slices.CompactFunc(disk, func(a, b Stored) bool { return a.Changelog == b.Changelog && a.Partition == b.Partition })
	return m
}

// key is the identity of a subtopology. Topics belong to it although the fingerprint covers them: a member whose
// fingerprint is wrong must not be given partitions of topics it does not read.
func (s Sub) key() string {
	return s.Fingerprint + "\x00" + strings.Join(s.Topics, "\x00")
}

func sortedSet(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
