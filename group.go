package millrace

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/txn"
)

// A group is this process's membership. Its client fetches nothing: what is assigned is paused, and read by the reader from where
// the tasks stand.
type group struct {
	p      *process
	cl     atomic.Pointer[kgo.Client] // nil until it is made; callbacks may come before that
	member string                     // callbacks: the id of the last assignment

	refused atomic.Int64 // since when members of another kind have kept this one out, ns; 0: they do not
	done    sync.WaitGroup
	stop    context.CancelFunc
}

// join joins the consumer group. It returns at once; assignments come to the process as they are made.
func (p *process) join() error {
	g := p.group
	b := newBalancer(p)
	opts := append(p.clientOptions("group"),
		kgo.ConsumerGroup(p.cfg.ApplicationID),
		kgo.ConsumeTopics(p.topics.all()...),
		kgo.Balancers(b),
		kgo.InstanceID(p.instanceID),
		kgo.SessionTimeout(p.cfg.SessionTimeout),
		kgo.HeartbeatInterval(min(p.cfg.SessionTimeout/10, time.Second)),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, cl *kgo.Client, m map[string][]int32) {
			cl.PauseFetchPartitions(m)
			id, generation := cl.GroupMetadata()
			g.refused.Store(0)
			p.log.Debug("millrace: assigned", "added", m, "member", id, "generation", generation)
			if g.member != id {
				// The coordinator had removed us and we have joined anew, which the client may do without calling it lost. What it
				// believes to have kept, others may have owned in between.
				p.onLost()
				g.member = id
			}
			p.onAssigned(flatten(b.assignment()))
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			p.log.Debug("millrace: revoked", "partitions", m)
			p.onRevoked(flatten(m))
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			p.log.Debug("millrace: lost", "partitions", m)
			p.onLost()
		}),
	)
	cl, err := txn.NewClient(opts...)
	if err != nil {
		return &ConfigError{"Client", err.Error()}
	}
	b.client.Store(cl)
	g.cl.Store(cl)
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.done.Go(func() { g.watch(ctx, cl) })
	return nil
}

func flatten(m map[string][]int32) []task.TP {
	var tps []task.TP
	for topic, parts := range m {
		for _, part := range parts {
			tps = append(tps, task.TP{Topic: topic, Partition: part})
		}
	}
	return tps
}

// watch takes the errors of the membership: they come as fetches.
func (g *group) watch(ctx context.Context, cl *kgo.Client) {
	for ctx.Err() == nil {
		fs := cl.PollFetches(ctx)
		if fs.IsClientClosed() {
			return
		}
		fs.EachError(func(topic string, _ int32, err error) {
			if fatal := g.explain(topic, err); fatal != nil {
				g.p.fail(fatal)
			}
		})
	}
}

// explain says what an error of the membership means, or of a topic that is shared; nil when the client goes on by itself.
func (g *group) explain(topic string, err error) error {
	if denied := g.p.denied(err, topic, "Read"); denied != nil {
		return denied
	}
	var session *kgo.ErrGroupSession
	if !errors.As(err, &session) {
		return nil
	}
	id := g.p.cfg.ApplicationID
	switch {
	case errors.Is(err, kerr.FencedInstanceID):
		return fmt.Errorf("%w: instance id %q joined group %q from elsewhere: was the state directory %s copied or shared? Give each process its own, or set Config.InstanceID",
			ErrFenced, g.p.instanceID, id, g.p.dir.Path())
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return g.foreign(session.Err)
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return &ConfigError{"SessionTimeout", fmt.Sprintf("%v is outside of what the brokers allow (group.min.session.timeout.ms to group.max.session.timeout.ms)", g.p.cfg.SessionTimeout)}
	}
	g.p.log.Warn("millrace: group", "error", session.Err)
	return nil
}

// membership returns what identifies this process in a commit. Without one, a commit would be taken from anybody: it is an error.
func (g *group) membership() (txn.Membership, error) {
	cl := g.cl.Load()
	if cl == nil {
		return txn.Membership{}, errNoMember
	}
	id, generation := cl.GroupMetadata()
	if id == "" || generation < 0 {
		return txn.Membership{}, errNoMember
	}
	return txn.Membership{MemberID: id, InstanceID: g.p.instanceID, Generation: generation}, nil
}

var errNoMember = fmt.Errorf("millrace: not a member of the group at present: %w", kerr.UnknownMemberID)

// stillMember asks the group whether this process is still a member. No answer is no no.
func (g *group) stillMember(ctx context.Context) bool {
	m, err := g.membership()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, g.p.cfg.SessionTimeout)
	defer cancel()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = g.p.cfg.ApplicationID, m.MemberID, m.Generation, &m.InstanceID
	resp, err := req.RequestWith(ctx, g.p.admin)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	return !errors.Is(err, kerr.UnknownMemberID) && !errors.Is(err, kerr.FencedInstanceID)
}

// close ends the membership. A static member stays in the group until its session times out, unless told to leave.
func (g *group) close(leave bool) {
	cl := g.cl.Load()
	if cl == nil {
		return
	}
	g.stop()
	cl.Close()
	g.done.Wait()
	if !leave {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := g.p.adm.LeaveGroup(ctx, kadm.LeaveGroup(g.p.cfg.ApplicationID).InstanceIDs(g.p.instanceID).Reason("stopped")); err != nil {
		g.p.log.Warn("millrace: leave the group", "error", err)
	}
}
