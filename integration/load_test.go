package integration

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kafkatest"
)

const (
	tickEvery = 25 * time.Millisecond  // of the wall clock
	tickTime  = 100 * time.Millisecond // of event time: it runs ahead, so that windows close while somebody waits
	closing   = 90 * time.Second       // of event time: longer than any window is open
	eventsAgo = 2 * time.Hour          // where it begins: brokers refuse times that are far in the future
)

// A load feeds all scenarios and remembers what it has fed.
type load struct {
	t   *testing.T
	cl  *kgo.Client
	app string
	rnd *rand.Rand

	at      time.Time                // event time of the present
	ticks   atomic.Int64             // moments fed
	fed     map[string][]*kgo.Record // acknowledged, by scenario
	stop    context.CancelFunc       // nil: it rests
	running sync.WaitGroup
}

func newLoad(t *testing.T, c *kafkatest.Cluster, app string) *load {
	l := &load{t: t, cl: client(t, c), app: app, rnd: rand.New(rand.NewPCG(7, 11)), at: time.Now().Add(-eventsAgo).Truncate(time.Millisecond), fed: map[string][]*kgo.Record{}}
	t.Cleanup(l.rest)
	return l
}

// run feeds until rest. A moment is fed when all records of the moment before are acknowledged, so that the order of times is that
// of what anybody can have seen.
func (l *load) run() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.running.Go(func() {
		pace := time.NewTicker(tickEvery)
		defer pace.Stop()
		for ctx.Err() == nil {
			if !l.tick() {
				return
			}
			<-pace.C
		}
	})
}

func (l *load) tick() (ok bool) {
	l.at = l.at.Add(tickTime)
	n := l.ticks.Add(1)
	return l.write(func(s scenario) []*kgo.Record { return s.feed(int(n), l.at, l.rnd) })
}

// write feeds what each scenario has for the present.
func (l *load) write(records func(s scenario) []*kgo.Record) (ok bool) {
	fed := map[string][]*kgo.Record{}
	var batch []*kgo.Record
	for _, s := range scenarios {
		fed[s.name] = records(s)
		for _, r := range fed[s.name] {
			r.Topic = s.topic(l.app, r.Topic)
		}
		batch = append(batch, fed[s.name]...)
	}
	if err := l.cl.ProduceSync(context.Background(), batch...).FirstErr(); err != nil {
		l.t.Errorf("the load is not taken: %v", err)
		return false
	}
	for name, records := range fed {
		l.fed[name] = append(l.fed[name], records...)
	}
	return true
}

// ticked returns how many moments were fed, or are about to be.
func (l *load) ticked() int64 { return l.ticks.Load() }

// rest stops feeding, and closes what is open; what was fed may be looked at then.
func (l *load) rest() {
	if l.stop == nil {
		return
	}
	l.stop()
	l.running.Wait()
	l.stop = nil
	l.at = l.at.Add(closing)
	l.write(func(s scenario) []*kgo.Record {
		if s.last == nil {
			return nil
		}
		return s.last(l.at)
	})
}
