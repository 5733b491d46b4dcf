package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/testkafka"
	"github.com/millrace-streams/millrace/kafkatest/internal/link"
)

// startTimeout is for a cluster on a busy machine, pulling its image included.
const startTimeout = 5 * time.Minute

// plan is what a way is given to start a cluster.
type plan struct {
	asked
	links []*link.Link // one a broker; its address is the one the broker advertises to clients
	ca    *authority   // nil: no TLS
	name  string       // of the test
}

// node is the id of the i-th broker; Kafka counts from 1 here.
func (p *plan) node(i int) int { return i + 1 }

// started is what a way returns.
type started struct {
	version string    // empty: not known
	nodes   []int32   // ids of the brokers, in the order of the plan's links
	procs   []process // of the brokers, in that order; nil: there are none
	brokers []string  // addresses where there are no links
	super   *User     // who may do everything, through the clients' listener; nil: anybody may, or has to be made
	admin   func(ctx context.Context, addr string) (string, error)
	close   func(keepLogs bool) error
}

// process is a broker that can be treated badly.
type process interface {
	kill(ctx context.Context) error
	stop(ctx context.Context) error
	start(ctx context.Context) error // returns when it is ready
	pause(ctx context.Context) error
	unpause(ctx context.Context) error
	isolate(ctx context.Context) error
	rejoin(ctx context.Context) error
	addr() string  // of the clients' listener
	inner() string // where the administrator gets in, as the broker calls it
	log() string
}

// Start gives a cluster for this test, which ends with it. It takes the first way that serves what is asked for:
// KAFKA_BROKERS, Testcontainers, jars, kfake. Where none does, the test fails with what to install; see OrSkip.
// The environment variables of testcontainers-go that this machine needs are set if they are not.
func Start(t testing.TB, opts ...Option) *Cluster {
	t.Helper()
	a, err := collect(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	var reasons []string
	for _, w := range a.ways {
		why := a.against(w)
		if why == "" {
			c, err := startBy(ctx, t, w, a)
			if err == nil {
				t.Logf("kafkatest: Kafka %s by %v, %v%s", c.version, w, a, because(reasons))
				return c
			}
			if u, ok := errors.AsType[*unable](err); ok {
				why = u.why
			} else {
				t.Fatal(err)
			}
		}
		reasons = append(reasons, fmt.Sprintf("%v: %s", w, why))
	}
	missing := fmt.Sprintf("kafkatest: no way to a Kafka of %v%s; %s", a, because(reasons), remedies(a))
	if a.orSkip && !a.required() {
		t.Skip(missing)
	}
	t.Fatal(missing)
	return nil
}

// required reports whether what is missing is a failure even where the test would be skipped.
func (a asked) required() bool {
	if slices.Equal(a.ways, []Way{Containers}) {
		v := os.Getenv("MILLRACE_REQUIRE_CONTAINERS")
		return v != "" && v != "0"
	}
	return testkafka.Required()
}

func because(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, "; ") + ")"
}

// remedies says what would help.
func remedies(a asked) string {
	var list []string
	for _, w := range a.ways {
		if r := w.remedy(); r != "" && (w != Named || !a.special()) {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return "allow more ways"
	}
	return strings.Join(list, ", or ")
}

func newLinks(n int) ([]*link.Link, error) {
	var links []*link.Link
	for range n {
		l, err := link.New()
		if err != nil {
			for _, l := range links {
				l.Close()
			}
			return nil, fmt.Errorf("kafkatest: %w", err)
		}
		links = append(links, l)
	}
	return links, nil
}

// startBy starts a cluster one way, and whatever the ways have in common.
func startBy(ctx context.Context, t testing.TB, w Way, a asked) (_ *Cluster, err error) {
	p := &plan{asked: a, name: t.Name()}
	defer func() {
		if err != nil {
			for _, l := range p.links {
				l.Close()
			}
		}
	}()
	if w != Named {
		if p.links, err = newLinks(a.brokers); err != nil {
			return nil, err
		}
	}
	if a.tls {
		if p.ca, err = newAuthority(); err != nil {
			return nil, err
		}
	}
	var s *started
	switch w {
	case Named:
		s = &started{brokers: strings.Split(os.Getenv("KAFKA_BROKERS"), ","), close: func(bool) error { return nil }}
	case Containers:
		s, err = startContainers(ctx, p)
	case Jars:
		s, err = startJars(ctx, p)
	case Fake:
		s, err = startFake(p)
	}
	if err != nil {
		return nil, err
	}
	for i, proc := range s.procs {
		p.links[i].Target(proc.addr())
	}
	c := newCluster(t, w, p, s)
	if err := c.meetUsers(ctx); err != nil {
		return nil, err
	}
	return c, nil
}
