package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/conformance"
)

// Deploy runs a case on brokers of its own, with databases in a folder. Pieces of input are fed one after the other, each when
// what came before is processed, and of one topic if somebody is there to read it: the order between topics would not be
// known. In the end it may be that all processes lose their disks and are started once more, which must send nothing. An
// error is what a process has ended with, or a difference that such a restart makes.
func Deploy(ctx context.Context, c *Case, d Deployment, dir string) (res *Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1+int(d.Seed%3)),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "999999999999"})) // its compaction looks past open transactions
	if err != nil {
		return nil, err
	}
	defer kafka.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	x := &deployed{
		Rand: rand.New(rand.NewPCG(d.Seed, 4)), ctx: ctx, c: c, d: d, dir: dir,
		brokers: kafka.ListenAddrs(), client: client, adm: kadm.NewClient(client), dealt: deal(c.Partitions, c.Steps),
		changed: make(chan struct{}, 1),
	}
	defer func() { err = errors.Join(err, x.endAll()) }()
	if err := x.create(); err != nil {
		return nil, err
	}
	if err := x.all(); err != nil {
		return nil, err
	}
	return x.result()
}

// build makes the topology of a case.
func build(c *Case, o conformance.Options) (*conformance.Built, error) {
	cases, err := conformance.Read(strings.NewReader(string(c.JSON())))
	if err != nil {
		return nil, err
	}
	return cases[0].Build(o)
}

// A deployed case is on its way.
type deployed struct {
	*rand.Rand
	ctx     context.Context // of the run
	c       *Case
	d       Deployment
	dir     string
	brokers []string
	client  *kgo.Client
	adm     *kadm.Client
	dealt   []int // the partition of each step
	up      []*process
	down    []string // processes that keep their place in the group until they are started again
	made    int      // processes, for their names
	w       *watch   // once there are topics to watch
	changed chan struct{}
}

// moved says that something may have moved. It never blocks.
func (x *deployed) moved() {
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

func (x *deployed) chance(percent int) bool { return x.IntN(100) < percent }

// create makes the topics that users make.
func (x *deployed) create() error {
	topics := map[string]bool{}
	for _, n := range x.c.Nodes {
		if of, ok := n["topics"].([]string); ok {
			for _, t := range of {
				topics[t] = true
			}
		}
		if t, ok := n["topic"].(string); ok {
			topics[t] = true
		}
	}
	for t := range topics {
		if _, err := x.adm.CreateTopic(x.ctx, int32(x.c.Partitions), -1, nil, t); err != nil {
			return err
		}
	}
	return nil
}

// all feeds all steps, with what the deployment has happen between them.
func (x *deployed) all() (err error) {
	if x.chance(50) { // else the first piece is there before anybody reads
		if err := x.staff(); err != nil {
			return err
		}
	}
	for from := 0; from < len(x.c.Steps); {
		if len(x.up) > 0 {
			if err := x.disturb(); err != nil {
				return err
			}
		}
		to := x.piece(from)
		if err := x.feed(from, to); err != nil {
			return err
		}
		from = to
		if len(x.up) == 0 {
			if err := x.staff(); err != nil {
				return err
			}
		} else if x.chance(x.d.Kill * x.d.Mid / 100) {
			if x.chance(50) {
				select {
				case <-x.changed:
				case <-x.ctx.Done():
				}
			}
			if err := x.kill(); err != nil {
				return err
			}
		}
		if err := x.w.rest(x.ctx, x.ended); err != nil {
			return fmt.Errorf("step %d: %w", to, err)
		}
	}
	return nil
}

// piece returns the end of the piece that begins with a step.
func (x *deployed) piece(from int) int {
	to := from + 1
	for to < len(x.c.Steps) && to-from < x.d.Piece {
		next := x.c.Steps[from : to+1]
		if len(x.up) > 0 && next[0].Topic != next[len(next)-1].Topic || !repeatable(next) {
			break
		}
		to++
	}
	return to
}

// feed sends steps in their order.
func (x *deployed) feed(from, to int) error {
	var records []*kgo.Record
	for i, s := range x.c.Steps[from:to] {
		r := &kgo.Record{Topic: s.Topic, Partition: int32(x.dealt[from+i]), Timestamp: at(s.Time)}
		if s.Key != nil {
			r.Key = []byte(*s.Key)
		}
		if s.Value != nil {
			r.Value = []byte(*s.Value)
		}
		records = append(records, r)
	}
	return x.client.ProduceSync(x.ctx, records...).FirstErr()
}

// disturb does before a piece what it is time for.
func (x *deployed) disturb() error {
	switch {
	case x.chance(x.d.Restart):
		return x.endAll()
	case x.chance(x.d.Kill):
		return x.kill()
	case !x.chance(x.d.Move):
		return nil
	case len(x.up) == 1 || len(x.up) == 2 && x.chance(50):
		x.made++
		x.down = append(x.down, fmt.Sprint("p", x.made))
		return x.staff()
	}
	return x.draw().leave(x.ctx, x.adm)
}

// staff starts the processes that are down; at first as many as the deployment has.
func (x *deployed) staff() error {
	for x.made < x.d.Processes {
		x.made++
		x.down = append(x.down, fmt.Sprint("p", x.made))
	}
	for _, id := range x.down {
		if err := x.start(id); err != nil {
			return err
		}
	}
	x.down = nil
	if err := x.ready(); err != nil || x.w != nil {
		return err
	}
	w, err := watchAll(x.ctx, x.c, x.brokers, x.adm, x.changed)
	x.w = w
	return err
}

func (x *deployed) start(id string) error {
	p, err := start(x.c, x.d, x.brokers, id, x.dir, x.moved)
	if err != nil {
		return err
	}
	x.up = append(x.up, p)
	return nil
}

// ready waits until all processes run.
func (x *deployed) ready() error {
	for _, p := range x.up {
		if err := p.ready(x.ctx); err != nil {
			return err
		}
	}
	return nil
}

// kill kills a process, and starts it again.
func (x *deployed) kill() error {
	p := x.draw()
	if err := p.kill(); err != nil {
		return err
	}
	if x.chance(x.d.Wipe) {
		if err := p.wipe(); err != nil {
			return err
		}
	}
	x.down = append(x.down, p.id)
	return x.staff()
}

// draw takes a process that is up, to be ended.
func (x *deployed) draw() *process {
	i := x.IntN(len(x.up))
	p := x.up[i]
	x.up = slices.Delete(x.up, i, i+1)
	return p
}

// ended says which process has ended by itself.
func (x *deployed) ended() error {
	for _, p := range x.up {
		select {
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("process %s has ended: %w", p.id, err)
		default:
		}
	}
	return nil
}

func (x *deployed) endAll() (err error) {
	for _, p := range x.up {
		err = errors.Join(err, p.end())
		x.down = append(x.down, p.id)
	}
	x.up = nil
	return err
}

// result returns what is committed.
func (x *deployed) result() (*Result, error) {
	if x.chance(30) {
		if err := x.again(); err != nil {
			return nil, err
		}
	}
	res := &Result{Sinks: map[string][]event{}}
	for _, s := range x.c.Sinks {
		for _, r := range x.w.sinks[s.Topic] {
			res.Sinks[s.Topic] = append(res.Sinks[s.Topic], s.event(r.Key, r.Value, r.Timestamp))
		}
	}
	return res, nil
}

// again starts all processes on empty disks.
func (x *deployed) again() error {
	before := len(slices.Concat(slices.Collect(maps.Values(x.w.sinks))...))
	ended := x.up
	if err := x.endAll(); err != nil {
		return err
	}
	for _, p := range ended {
		if err := p.wipe(); err != nil {
			return err
		}
	}
	if err := x.staff(); err != nil {
		return err
	}
	if err := x.w.rest(x.ctx, x.ended); err != nil {
		return err
	}
	if after := len(slices.Concat(slices.Collect(maps.Values(x.w.sinks))...)); after > before {
		return fmt.Errorf("a restart on empty disks when all was processed sent %d records", after-before)
	}
	return nil
}
