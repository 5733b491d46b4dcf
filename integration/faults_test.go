package integration

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/kafkatest"
)

// A need is what a step asks of its cluster.
type need int

const (
	anything  need = iota
	links          // the network between the processes and the brokers is ours
	processes      // brokers have processes, to be killed, stopped and paused
)

// met leaves a step out on a cluster that cannot serve it, and says why. Where real brokers are required, that is a failure.
func (n need) met(t *testing.T, c *kafkatest.Cluster) {
	t.Helper()
	if w := c.Way(); w == kafkatest.Named && n >= links || w == kafkatest.Fake && n >= processes {
		kafkatest.Start(t, kafkatest.By(w), kafkatest.Faults(), kafkatest.OrSkip())
	}
}

// lasts is how long a fault goes on that nothing can be waited for in: nobody gets an answer until it is over.
const lasts = 3 * time.Second

// networkSteps are what the network does to a broker.
var networkSteps = []step{
	{"a broker cut off from the processes", cut, links},
	{"slow brokers", slow, links},
	{"lost answers", loseAnswers, links},
}

// cut cuts off who coordinates the group. Brokers see each other, so nobody takes its place.
func cut(t *testing.T, s *soak) {
	c, node := s.c.In(t), s.groupCoordinator(t)
	c.Cut(node)
	time.Sleep(lasts)
	c.Heal(node)
}

// slow delays everything to and from all brokers.
func slow(t *testing.T, s *soak) {
	c := s.c.In(t)
	for _, node := range c.Nodes() {
		c.Slow(node, 50*time.Millisecond)
	}
	s.flows(t)
	for _, node := range c.Nodes() {
		c.Heal(node)
	}
}

// loseAnswers loses answers to each kind of request that a commit consists of, after the request took effect, and then any.
func loseAnswers(t *testing.T, s *soak) {
	for _, keys := range [][]kmsg.Key{{kmsg.Produce}, {kmsg.TxnOffsetCommit}, {kmsg.EndTxn}, {kmsg.EndTxn, kmsg.InitProducerID, kmsg.OffsetFetch}, nil} {
		const each = 3
		c, lost := s.c.In(t), 0
		for _, node := range c.Nodes() {
			c.LoseAnswers(node, kafkatest.Answers{To: keys, Times: each})
		}
		await(t, "lost answers", func() bool {
			lost = 0
			for _, node := range c.Nodes() {
				lost += c.LostAnswers(node)
			}
			return lost >= each
		})
		for _, node := range c.Nodes() {
			c.Heal(node)
		}
		s.flows(t)
	}
}

// oneBrokerSteps are what happens to a broker that nobody can take the place of. It is never killed: Kafka itself may then
// leave transactions hanging, or let aborted records be seen.
var oneBrokerSteps = []step{
	{"the broker stopped and started", func(t *testing.T, s *soak) { s.c.In(t).Restart(s.inputLeader(t)) }, processes},
	{"the broker paused", func(t *testing.T, s *soak) {
		c, node := s.c.In(t), s.inputLeader(t)
		c.Pause(node)
		time.Sleep(lasts)
		c.Unpause(node)
	}, processes},
}

// threeBrokersSteps are what happens to one broker of three: the others go on without it, and it comes back.
var threeBrokersSteps = []step{
	{"leaders and coordinators moved", moveLeaders, anything},
	{"a broker stopped", func(t *testing.T, s *soak) {
		c, node := s.c.In(t), s.inputLeader(t)
		c.Stop(node)
		s.flows(t)
		c.Start(node)
		s.inSync(t)
	}, processes},
	{"a broker paused until others have taken its place", func(t *testing.T, s *soak) {
		c, node := s.c.In(t), s.outputLeader(t)
		c.Pause(node)
		await(t, "other leaders", func() bool {
			led := 0
			leaders := s.leaders(t)
			for _, leader := range leaders {
				if leader == node {
					led++
				}
			}
			return len(leaders) > 0 && led == 0
		})
		c.Unpause(node)
		s.inSync(t)
	}, processes},
}

// kills are ten brokers killed with -9, each for what it is to the application.
func kills() []step {
	var steps []step
	for _, round := range []string{"", " again"} {
		for _, role := range []struct {
			name string
			who  func(*soak, *testing.T) int32
		}{
			{"the group's coordinator", (*soak).groupCoordinator},
			{"the coordinator of a worker's transactions", (*soak).txnCoordinator},
			{"the leader of an input", (*soak).inputLeader},
			{"the leader of a changelog", (*soak).changelogLeader},
			{"the leader of an output", (*soak).outputLeader},
		} {
			steps = append(steps, step{"kill -9 of " + role.name + round, func(t *testing.T, s *soak) {
				node := role.who(s, t)
				s.c.In(t).Kill(node)
				s.c.In(t).Start(node)
				s.inSync(t)
			}, processes})
		}
	}
	return steps
}
