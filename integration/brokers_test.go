package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// topics returns all topics of the cluster, those that Kafka keeps for itself too.
func (s *soak) topics(t *testing.T) kadm.TopicDetails {
	t.Helper()
	topics, err := s.c.In(t).Admin().ListTopicsWithInternal(t.Context())
	if err == nil {
		err = topics.Error()
	}
	if err != nil {
		return nil // asked again by those who wait
	}
	return topics
}

// inSync waits until every partition has a leader, and all its replicas are in sync.
func (s *soak) inSync(t *testing.T) {
	t.Helper()
	await(t, "all replicas in sync", func() bool {
		topics := s.topics(t)
		whole := len(topics) > 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			whole = whole && p.Leader >= 0 && len(p.ISR) == len(p.Replicas)
		})
		return whole
	})
}

// leaders returns who leads each partition.
func (s *soak) leaders(t *testing.T) map[part]int32 {
	t.Helper()
	leaders := map[part]int32{}
	s.topics(t).EachPartition(func(p kadm.PartitionDetail) { leaders[part{p.Topic, p.Partition}] = p.Leader })
	return leaders
}

// inputLeader returns who leads a partition of an input.
func (s *soak) inputLeader(t *testing.T) int32 {
	return s.c.In(t).Leader(words.topic(s.app, "lines"), 0)
}

// outputLeader returns who leads a partition of an output.
func (s *soak) outputLeader(t *testing.T) int32 {
	return s.c.In(t).Leader(words.topic(s.app, "out"), 1)
}

// changelogLeader returns who leads a partition of a changelog.
func (s *soak) changelogLeader(t *testing.T) int32 {
	return s.c.In(t).Leader(s.app+"-word-counts-changelog", 1)
}

// groupCoordinator returns who coordinates the group of the processes.
func (s *soak) groupCoordinator(t *testing.T) int32 { return s.c.In(t).GroupCoordinator(s.app) }

// txnCoordinator returns who coordinates the transactions of a worker.
func (s *soak) txnCoordinator(t *testing.T) int32 {
	t.Helper()
	var ids []string
	await(t, "a worker's transactional id", func() bool {
		listed, err := s.c.In(t).Admin().ListTransactions(t.Context(), nil, nil)
		if err != nil {
			return false
		}
		ids = slices.DeleteFunc(slices.Sorted(maps.Keys(listed)), func(id string) bool { return !strings.HasPrefix(id, s.app+"-") })
		return len(ids) > 0
	})
	return s.c.In(t).TxnCoordinator(ids[0])
}

// moveLeaders takes every partition away from who leads it, with a replica that is made anew, and moves it on once more when that
// is done. Those where Kafka keeps offsets and transactions are among them, so coordinators move too.
func moveLeaders(t *testing.T, s *soak) {
	s.inSync(t)
	s.reassign(t, func(replicas []int32) []int32 { return replicas[1:] })
	s.flows(t)
	first := s.c.Nodes()
	s.reassign(t, func(replicas []int32) []int32 {
		// The one that is missing comes back; who follows leads.
		for _, node := range first {
			if !slices.Contains(replicas, node) {
				return append(slices.Clone(replicas[1:]), node, replicas[0])
			}
		}
		return append(slices.Clone(replicas[1:]), replicas[0])
	})
	s.inSync(t)
}

// reassign gives every partition other replicas, and waits until they are in sync and others lead.
func (s *soak) reassign(t *testing.T, replicas func([]int32) []int32) {
	t.Helper()
	adm, before := s.c.In(t).Admin(), s.leaders(t)
	var plan kadm.AlterPartitionAssignmentsReq
	s.topics(t).EachPartition(func(p kadm.PartitionDetail) {
		// The leader is the first of the old ones, as far as the plan goes.
		old := append([]int32{p.Leader}, slices.DeleteFunc(slices.Clone(p.Replicas), func(n int32) bool { return n == p.Leader })...)
		plan.Assign(p.Topic, p.Partition, replicas(old))
	})
	planned, err := adm.AlterPartitionAssignments(t.Context(), plan)
	if err == nil {
		err = planned.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	await(t, "replicas in their new places", func() bool {
		left, err := adm.ListPartitionReassignments(t.Context(), nil)
		return err == nil && len(left) == 0
	})
	if _, err := adm.ElectLeaders(t.Context(), kadm.ElectPreferredReplica, nil); err != nil {
		t.Fatal(err)
	}
	await(t, "other leaders", func() bool {
		now := s.leaders(t)
		for p, leader := range before {
			if now[p] < 0 || now[p] == leader {
				return false
			}
		}
		return len(now) >= len(before)
	})
}
