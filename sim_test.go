//go:build synctests

package millrace_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var (
	simSeeds = flag.Int("sim.seeds", 5, "seeds of TestSimulation")
	simFirst = flag.Uint64("sim.first", 1, "first seed")
	simTime  = flag.Duration("sim.time", 3*time.Minute, "virtual time of each seed")
)

// TestSimulation runs the whole runtime on kfake in virtual time: processes join, leave, crash and stall past their session with
// a transaction open, networks are cut, answers to EndTxn are lost after they were applied, leaders and coordinators
// move. Every key is counted with every update, so exactly once means that its output reads 1, 2, 3 … to the number of its
// inputs. A seed fixes the plan of faults, not the interleaving.
func TestSimulation(t *testing.T) {
	for i := range *simSeeds {
		seed := *simFirst + uint64(i)
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t, seed)
				// A client that is closed while it asks for a producer id does not wait for the goroutine that asks. It ends with
				// its connection, a moment of virtual time later.
				time.Sleep(time.Minute)
			})
		})
	}
}

const (
	simPartitions = 4
	simKeys       = 12
)

// A sim is one run.
type sim struct {
	t       *testing.T
	rnd     *rand.Rand
	vn      *kfake.VirtualNetwork
	kafka   *kfake.Cluster
	dir     string
	log     *slog.Logger
	procs   []*simProcess
	nextDir int
	plan    []string
	began   time.Time
	restart []int // directories of processes that are down
}

// A simProcess is an app with a network of its own.
type simProcess struct {
	dir  int
	net  *faultyNet
	stop context.CancelFunc
	done chan error
}

func simulate(t *testing.T, seed uint64) {
	s := &sim{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), vn: &kfake.VirtualNetwork{}, dir: t.TempDir(), began: time.Now()}
	level := slog.LevelError + 4
	if os.Getenv("SIM_LOG") != "" {
		level = slog.LevelDebug
	}
	s.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	var err error
	// Compaction of kfake looks past the last stable offset: never let it run.
	s.kafka, err = kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(s.vn.Listen),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "999999999999"}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.kafka.Close()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, plan:\n%s", seed, strings.Join(s.plan, "\n"))
		}
	}()
	cl := s.client()
	defer cl.Close()
	ctx := context.Background()
	adm := kadm.NewClient(cl)
	for _, topic := range []string{"in", "out"} {
		if _, err := adm.CreateTopic(ctx, simPartitions, 3, nil, topic); err != nil {
			t.Fatal(err)
		}
	}

	s.start(-1)
	s.start(-1)
	end := time.Now().Add(*simTime)
	sent := s.feed(cl, end)
	for time.Now().Before(end) {
		time.Sleep(time.Duration(500+s.rnd.IntN(4000)) * time.Millisecond)
		s.chaos()
	}
	want := <-sent
	// Peace: everything heals, and all of it must come out.
	for _, p := range s.procs {
		p.net.heal()
	}
	if len(s.procs) == 0 {
		s.start(-1)
	}
	s.check(want)
	for len(s.procs) > 0 {
		s.end(0, true)
	}
}

// client returns a client on an undisturbed network.
func (s *sim) client(opts ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.kafka.ListenAddrs()...), kgo.Dialer(s.vn.DialContext), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return cl
}

// feed writes a record every 100 ms until end, and then says how many each key got.
func (s *sim) feed(cl *kgo.Client, end time.Time) <-chan map[string]int {
	out := make(chan map[string]int, 1)
	rnd := rand.New(rand.NewPCG(s.rnd.Uint64(), 2))
	go func() {
		sent := map[string]int{}
		for time.Now().Before(end) {
			key := fmt.Sprintf("k%02d", rnd.IntN(simKeys))
			if err := cl.ProduceSync(context.Background(), &kgo.Record{Topic: "in", Key: []byte(key), Value: []byte("x")}).FirstErr(); err != nil {
				s.t.Errorf("feed: %v", err)
			}
			sent[key]++
			time.Sleep(100 * time.Millisecond)
		}
		out <- sent
	}()
	return out
}

// simTopology counts every record of a key in a store, by way of a repartition topic, and sends each count on.
func simTopology(t *testing.T) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, topology.NewTopic("in", serde.String, serde.String)).
		GroupBy("upper", func(k, _ string) string { return strings.ToUpper(k) }).
		Count("counts", store.NoCache()).
		To(topology.NewTopic("out", serde.String, serde.Int64))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// start starts a process on a directory: -1 is a new one.
func (s *sim) start(dir int) {
	if dir < 0 {
		dir = s.nextDir
		s.nextDir++
	}
	p := &simProcess{dir: dir, net: newFaultyNet(s.vn), done: make(chan error, 1)}
	app, err := millrace.New(simTopology(s.t), millrace.Config{
		ApplicationID: "sim", Brokers: s.kafka.ListenAddrs(), StateDir: filepath.Join(s.dir, fmt.Sprint(dir)),
		Workers: 2, TransactionTimeout: 5 * time.Second, SessionTimeout: 6 * time.Second, Memory: 16 << 20,
		Logger: s.log.With("process", dir), Client: []kgo.Opt{kgo.Dialer(p.net.dial), kgo.ProducerBatchCompression(kgo.NoCompression())},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.done <- app.Run(ctx) }()
	s.procs = append(s.procs, p)
}

// end stops a process: in order, or as if killed, with its network cut first.
func (s *sim) end(i int, clean bool) {
	p := s.procs[i]
	s.procs = append(s.procs[:i], s.procs[i+1:]...)
	if !clean {
		p.net.cut()
	}
	p.stop()
	defer p.net.blinks.Wait()
	select {
	case err := <-p.done:
		if err != nil && clean {
			s.t.Errorf("process %d: %v", p.dir, err)
		}
	case <-time.After(2 * time.Minute):
		s.t.Fatalf("process %d does not end", p.dir)
	}
	s.restart = append(s.restart, p.dir)
}

// chaos does one thing.
func (s *sim) chaos() {
	say := func(format string, a ...any) {
		s.plan = append(s.plan, fmt.Sprintf("%8s  ", time.Since(s.began).Round(time.Millisecond))+fmt.Sprintf(format, a...))
	}
	for i := 0; i < len(s.procs); i++ {
		select {
		case err := <-s.procs[i].done: // a process may end by itself only with an error we caused; none does
			s.t.Errorf("process %d ended: %v", s.procs[i].dir, err)
			s.restart = append(s.restart, s.procs[i].dir)
			s.procs = append(s.procs[:i], s.procs[i+1:]...)
		default:
		}
	}
	pick := func() *simProcess { return s.procs[s.rnd.IntN(len(s.procs))] }
	switch k := s.rnd.IntN(12); {
	case len(s.procs) == 0 || k == 0 && len(s.procs) < 4:
		dir := -1
		if len(s.restart) > 0 && s.rnd.IntN(4) > 0 {
			j := s.rnd.IntN(len(s.restart))
			dir = s.restart[j]
			s.restart = append(s.restart[:j], s.restart[j+1:]...)
		}
		say("start %d", dir)
		s.start(dir)
	case k == 1 && len(s.procs) > 1:
		i := s.rnd.IntN(len(s.procs))
		say("stop %d", s.procs[i].dir)
		s.end(i, true)
	case k == 2:
		i := s.rnd.IntN(len(s.procs))
		dir := s.procs[i].dir
		say("crash and restart %d", dir)
		s.end(i, false)
		s.restart = s.restart[:len(s.restart)-1]
		s.start(dir)
	case k <= 4:
		p := pick()
		say("lose the answer to the next EndTxn of %d", p.dir)
		p.net.loseEndTxn.Store(true)
	case k == 5:
		p := pick()
		say("stall %d past its session, its transaction open", p.dir)
		p.net.stall(9 * time.Second)
	case k == 6:
		p := pick()
		say("cut %d for 2 s", p.dir)
		p.net.cut()
		time.Sleep(2 * time.Second)
		p.net.heal()
	case k == 7:
		say("leaders move")
		s.kafka.ShufflePartitionLeaders()
	case k == 8:
		say("coordinators move")
		s.kafka.RehashCoordinators()
	case k == 9:
		p := pick()
		say("drop connections of %d", p.dir)
		p.net.drop()
	default:
		p := pick()
		say("EndTxn of %d never arrives", p.dir)
		p.net.dropEndTxn.Store(true)
	}
}

// check reads the output as a stock consumer does, until it is complete, and proves it.
func (s *sim) check(want map[string]int) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cl := s.client(kgo.ConsumeTopics("out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	got := map[string]int64{}
	left := 0
	for _, n := range want {
		left += n
	}
	total := left
	for left > 0 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			s.t.Fatalf("%d of %d outputs are missing after three quiet minutes; %v", left, total, got)
		}
		fs.EachRecord(func(r *kgo.Record) {
			n := int64(binary.BigEndian.Uint64(r.Value))
			if n != got[string(r.Key)]+1 {
				s.t.Errorf("%s: count %d after %d (partition %d offset %d)", r.Key, n, got[string(r.Key)], r.Partition, r.Offset)
			}
			got[string(r.Key)] = n
			left--
		})
	}
	for k, n := range want {
		if g := got[strings.ToUpper(k)]; g != int64(n) {
			s.t.Errorf("%s: counted %d, want %d", k, g, n)
		}
	}
}

// A faultyNet is the network of one process.
type faultyNet struct {
	vn         *kfake.VirtualNetwork
	mu         sync.Mutex
	conns      map[*faultyConn]bool
	down       bool
	stalled    chan struct{} // closed when the stall is over; nil: none
	loseEndTxn atomic.Bool   // the next EndTxn is applied, its answer and the network are lost
	dropEndTxn atomic.Bool   // the next EndTxn never arrives
	blinks     sync.WaitGroup
}

func newFaultyNet(vn *kfake.VirtualNetwork) *faultyNet {
	return &faultyNet{vn: vn, conns: map[*faultyConn]bool{}}
}

var errCut = errors.New("network cut")

func (n *faultyNet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, errCut
	}
	c, err := n.vn.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	fc := &faultyConn{Conn: c, n: n}
	n.mu.Lock()
	n.conns[fc] = true
	n.mu.Unlock()
	return fc, nil
}

// drop closes all connections.
func (n *faultyNet) drop() {
	n.mu.Lock()
	conns := n.conns
	n.conns = map[*faultyConn]bool{}
	n.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
}

func (n *faultyNet) cut() {
	n.mu.Lock()
	n.down = true
	n.mu.Unlock()
	n.drop()
}

func (n *faultyNet) heal() {
	n.mu.Lock()
	n.down = false
	n.mu.Unlock()
}

// stall holds all traffic, as a stopped process does, and then lets it go on.
func (n *faultyNet) stall(d time.Duration) {
	over := make(chan struct{})
	n.mu.Lock()
	n.stalled = over
	n.mu.Unlock()
	time.Sleep(d)
	n.mu.Lock()
	n.stalled = nil
	n.mu.Unlock()
	close(over)
}

func (n *faultyNet) wait() {
	n.mu.Lock()
	over := n.stalled
	n.mu.Unlock()
	if over != nil {
		<-over
	}
}

type faultyConn struct {
	net.Conn
	n    *faultyNet
	lose atomic.Bool
}

// latency of a request. Without any, requests that are answered at once can follow each other for ever in no time, and the virtual
// clock never moves: seen with fetches of a partition whose end is held back by a transaction.
const latency = 200 * time.Microsecond

func (c *faultyConn) Write(b []byte) (int, error) {
	c.n.wait()
	time.Sleep(latency)
	const endTxn = 26
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) == endTxn {
		if c.n.dropEndTxn.CompareAndSwap(true, false) {
			c.n.blink()
			return 0, errCut
		}
		if c.n.loseEndTxn.CompareAndSwap(true, false) {
			c.lose.Store(true)
		}
	}
	return c.Conn.Write(b)
}

func (c *faultyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.wait()
	if c.lose.Load() && n > 0 {
		c.n.blink()
		return 0, errCut
	}
	return n, err
}

// blink cuts the network for longer than the client repeats a request.
func (n *faultyNet) blink() {
	n.cut()
	n.blinks.Go(func() {
		time.Sleep(5500 * time.Millisecond)
		n.heal()
	})
}
