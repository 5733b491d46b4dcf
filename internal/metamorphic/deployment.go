package metamorphic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/internal/conformance"
)

// A Deployment is how the app of a case is run as users do: in processes of several workers, on brokers, with faults between
// the pieces of input.
type Deployment struct {
	Seed      uint64 // of the moments
	Plain     bool   // types without nulls
	Processes int
	Workers   int           // of each
	Commit    time.Duration // between commits, at most
	Piece     int           // most records that are fed at once
	Kill      int           // a process is killed before a piece, so many times in a hundred, and started again on its disk
	Mid       int           // of these, so many times in a hundred when the piece is there, be it processed or not
	Wipe      int           // and so many times in a hundred its disk is gone, too
	Restart   int           // all processes are ended in good order before a piece, which they find when they are started again
	Move      int           // a process leaves or comes before a piece
}

// deploy draws a deployment that a case can be run in.
func deploy(c *Case, r *rand.Rand) Deployment {
	often := func() int { return []int{0, 0, 5, 15}[r.IntN(4)] }
	d := Deployment{
		Seed: r.Uint64(), Plain: !c.nulls && r.IntN(2) == 0, Processes: 1 + r.IntN(2), Workers: 1 + r.IntN(3),
		Commit: []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}[r.IntN(3)], Piece: 1 + r.IntN(20),
		Kill: often(), Mid: 50, Wipe: 30, Restart: often(), Move: often(),
	}
	if c.eager {
		d.Piece, d.Mid = 1, 0
	}
	return d
}

// String spells the deployment as Go does.
func (d Deployment) String() string { return strings.TrimPrefix(fmt.Sprintf("%#v", d), "metamorphic.") }

// A process is an app with a network and a disk of its own, as an operating system would run it.
type process struct {
	id   string // static member
	dir  string
	net  *network
	app  *millrace.App
	stop context.CancelFunc
	done chan error
}

const (
	startTime = 2 * time.Minute // for an app to run: long enough that a busy machine is not taken for a hang
	restTime  = 2 * time.Minute
	stopTime  = 2 * time.Minute
)

// start starts a process of a case. moved is called after each commit.
func start(c *Case, d Deployment, brokers []string, id, dir string, moved func()) (*process, error) {
	built, err := build(c, conformance.Options{Plain: d.Plain, Own: true})
	if err != nil {
		return nil, err
	}
	p := &process{id: id, dir: dir, net: &network{conns: map[net.Conn]bool{}}, done: make(chan error, 1)}
	p.app, err = millrace.New(built.Topology, millrace.Config{
		ApplicationID: app, Brokers: brokers, InstanceID: id, StateDir: filepath.Join(dir, id), OnStop: millrace.StopKeepPlace,
		Workers: d.Workers, CommitInterval: d.Commit, Memory: 16 << 20, Logger: slog.New(slog.DiscardHandler),
		Events: &millrace.Events{Committed: func(millrace.CommitInfo) { moved() }, State: func(_, _ millrace.State) { moved() }},
		Client: []kgo.Opt{kgo.Dialer(p.net.dial), kgo.ProducerBatchCompression(kgo.NoCompression())},
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.done <- p.app.Run(ctx) }()
	return p, nil
}

// ready waits until the process runs.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := p.app.WaitFor(ctx, millrace.Running); err != nil {
		return errors.Join(fmt.Errorf("process %s does not run: %w", p.id, err), p.app.Ready())
	}
	return nil
}

// end ends the process in good order.
func (p *process) end() error {
	p.stop()
	select {
	case err := <-p.done:
		return err
	case <-time.After(stopTime):
		return fmt.Errorf("process %s does not end", p.id)
	}
}

// kill ends the process as a loss of power does, as far as others can see: it says nothing more to anyone.
func (p *process) kill() error {
	p.net.cut()
	if err := p.end(); err != nil && strings.Contains(err.Error(), "does not end") {
		return err
	}
	return nil
}

// wipe throws its disk away.
func (p *process) wipe() error { return os.RemoveAll(filepath.Join(p.dir, p.id)) }

// A network is the connections of one process, which can be cut for good.
type network struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
}

func (n *network) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, kind, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return nil, cmp.Or(conn.Close(), errors.New("the process is dead"))
	}
	n.conns[conn] = true
	return conn, nil
}

func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = true
	for conn := range n.conns {
		_ = conn.Close() // it may be closed already
	}
}

// leave ends the process in good order and gives its place in the group to the others.
func (p *process) leave(ctx context.Context, adm *kadm.Client) error {
	if err := p.end(); err != nil {
		return err
	}
	left, err := adm.LeaveGroup(ctx, kadm.LeaveGroup(app).InstanceIDs(p.id))
	if err == nil {
		err = left.Error()
	}
	return err
}
