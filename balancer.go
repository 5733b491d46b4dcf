package millrace

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/internal/assign"
	"github.com/millrace-streams/millrace/internal/graph"
)

// A balancer connects package assign with the group protocol: what this process says about itself goes out with every join, the
// leader's plan with every sync.
type balancer struct {
	p      *process
	client atomic.Pointer[kgo.Client]

	mu     sync.Mutex
	member assign.Member
	forced int                // rejoins forced in a row: assignments made for somebody else
	given  map[string][]int32 // the whole of the last assignment
}

// protocolName changes when members of two versions could not share a group.
const protocolName = "millrace-1"

// mostForced rejoins in a row, an assignment that still does not fit is taken as it is: what is not ours is not opened.
const mostForced = 5

func newBalancer(p *process) *balancer {
	b := &balancer{p: p, member: assign.Member{Process: p.instanceID, Disk: p.stored}}
	for i, sub := range p.plan.Subs {
		s := assign.Sub{Fingerprint: fmt.Sprintf("%016x", sub.Fingerprint), Topics: p.topics.sources[i], Stateful: len(sub.Stores) > 0}
		for _, d := range sub.Stores {
			if d.Restored() {
				s.Changelogs = append(s.Changelogs, graph.Changelog(p.cfg.ApplicationID, d))
			}
		}
		b.member.Subs = append(b.member.Subs, s)
	}
	return b
}

func (b *balancer) ProtocolName() string { return protocolName }
func (b *balancer) IsCooperative() bool  { return true }

// JoinGroupMetadata says what this process is, has and owns.
func (b *balancer) JoinGroupMetadata(topics []string, current map[string][]int32, generation int32) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version = 3
	meta.Topics = slices.Sorted(slices.Values(topics))
	for topic, parts := range current {
		owned := kmsg.NewConsumerMemberMetadataOwnedPartition()
		owned.Topic, owned.Partitions = topic, slices.Sorted(slices.Values(parts))
		meta.OwnedPartitions = append(meta.OwnedPartitions, owned)
	}
	slices.SortFunc(meta.OwnedPartitions, func(a, b kmsg.ConsumerMemberMetadataOwnedPartition) int { return strings.Compare(a.Topic, b.Topic) })
	meta.Generation = generation
	meta.UserData = assign.AppendMember(nil, b.member)
	return meta.AppendTo(nil)
}

// ParseSyncAssignment reads the assignment, and notices one that was made for a former version of this program: the coordinator
// hands a static member its old assignment without asking the leader.
func (b *balancer) ParseSyncAssignment(data []byte) (map[string][]int32, error) {
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(data); err != nil {
		return nil, fmt.Errorf("millrace: read assignment: %w", err)
	}
	got := map[string][]int32{}
	for _, t := range a.Topics {
		got[t.Topic] = t.Partitions
	}
	echo, err := assign.DecodeEcho(a.UserData)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		err = b.member.Fits(echo, got)
	}
	b.given = b.ours(got)
	if err == nil || b.forced >= mostForced {
		b.forced = 0
		return got, nil
	}
	b.p.log.Info("millrace: the assignment does not fit this program, joining again", "why", err)
	b.forced++
	b.member.Counter++
	go func() { // the client holds its locks while it parses; ends at once
		if cl := b.client.Load(); cl != nil {
			cl.ForceRebalance()
		}
	}()
	return got, nil
}

// assignment returns the whole of the last assignment.
func (b *balancer) assignment() map[string][]int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.given
}

// ours leaves out topics that this program does not read.
func (b *balancer) ours(got map[string][]int32) map[string][]int32 {
	for topic := range got {
		if !slices.ContainsFunc(b.member.Subs, func(s assign.Sub) bool { return slices.Contains(s.Topics, topic) }) {
			delete(got, topic)
		}
	}
	return got
}

// MemberBalancer is called on the leader, with what all members say.
func (b *balancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	r := &round{log: b.p.log, owned: map[string][]assign.TopicPartition{}}
	topics := map[string]struct{}{}
	newest := map[assign.TopicPartition]int32{}
	var metas []kmsg.ConsumerMemberMetadata
	for _, m := range members {
		var meta kmsg.ConsumerMemberMetadata
		if err := meta.ReadFrom(m.ProtocolMetadata); err != nil {
			return nil, nil, fmt.Errorf("millrace: member %s: read metadata: %w", m.MemberID, err)
		}
		member, err := assign.DecodeMember(meta.UserData)
		if err != nil {
			return nil, nil, fmt.Errorf("millrace: member %s: %w", m.MemberID, err)
		}
		member.ID = m.MemberID
		r.members = append(r.members, member)
		metas = append(metas, meta)
		for _, t := range meta.Topics {
			topics[t] = struct{}{}
		}
		for _, o := range meta.OwnedPartitions {
			for _, part := range o.Partitions {
				tp := assign.TopicPartition{Topic: o.Topic, Partition: part}
				if g, ok := newest[tp]; !ok || meta.Generation > g {
					newest[tp] = meta.Generation
				}
			}
		}
	}
	for i, meta := range metas {
		for _, o := range meta.OwnedPartitions {
			for _, part := range o.Partitions {
				// A member that missed a rebalance may claim what another has owned since (KIP-792): the newest claim counts.
				if tp := (assign.TopicPartition{Topic: o.Topic, Partition: part}); newest[tp] == meta.Generation {
					r.owned[r.members[i].ID] = append(r.owned[r.members[i].ID], tp)
				}
			}
		}
	}
	return r, topics, nil
}

// A round is one assignment being made.
type round struct {
	log     *slog.Logger
	members []assign.Member
	owned   map[string][]assign.TopicPartition
}

// Balance makes the plan.
func (r *round) Balance(partitions map[string]int32) kgo.IntoSyncAssignment {
	plan, problems := assign.Assign(r.members, partitions, r.owned)
	for _, err := range problems {
		r.log.Warn("millrace: not everything can be assigned", "why", err)
	}
	return &decision{r.members, assign.HandOver(r.members, plan, r.owned)}
}

// A decision is the plan on its way to the members.
type decision struct {
	members []assign.Member
	plan    assign.Plan
}

func (d *decision) IntoSyncAssignment() []kmsg.SyncGroupRequestGroupAssignment {
	var out []kmsg.SyncGroupRequestGroupAssignment
	for _, m := range d.members {
		a := kmsg.NewConsumerMemberAssignment()
		a.Version = 0
		for topic, parts := range d.plan[m.ID] {
			t := kmsg.NewConsumerMemberAssignmentTopic()
			t.Topic, t.Partitions = topic, parts
			a.Topics = append(a.Topics, t)
		}
		slices.SortFunc(a.Topics, func(a, b kmsg.ConsumerMemberAssignmentTopic) int { return strings.Compare(a.Topic, b.Topic) })
		a.UserData = assign.AppendEcho(nil, m.Echo())
		s := kmsg.NewSyncGroupRequestGroupAssignment()
		s.MemberID, s.MemberAssignment = m.ID, a.AppendTo(nil)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b kmsg.SyncGroupRequestGroupAssignment) int { return strings.Compare(a.MemberID, b.MemberID) })
	return out
}
