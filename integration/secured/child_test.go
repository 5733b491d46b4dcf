package secured

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kafkatest"
)

// A child is the counting app in a process of its own: this test binary with MILLRACE_CHILD set. What it tells comes as lines.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and its output is read

	mu    sync.Mutex
	lines []string
}

// start starts the app on a directory. It is killed when the test ends, if it still runs.
func start(t *testing.T, c *kafkatest.Cluster, app, dir string) *child {
	t.Helper()
	p := &child{t: t, done: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "MILLRACE_CHILD="+app, "MILLRACE_DIR="+dir, "MILLRACE_BROKERS="+strings.Join(c.Brokers(), ","))
	log := &logTail{}
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.read(out)
		_ = p.cmd.Wait() // how it ended is asked of ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the app said at the end: %v\n%s", p.said("error"), log)
		}
	})
	return p
}

func (p *child) read(out io.Reader) {
	for in := bufio.NewScanner(out); in.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, in.Text())
		p.mu.Unlock()
	}
}

// said returns the lines with a prefix.
func (p *child) said(prefix string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, l := range p.lines {
		if strings.HasPrefix(l, prefix) {
			list = append(list, l)
		}
	}
	return list
}

// runs waits until the app runs: before, it may not even know what to do at SIGTERM.
func (p *child) runs() {
	p.t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(p.said("running")) == 0 {
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("the app has ended: %v", p.said("error"))
		case <-late.C:
			p.t.Fatal("the app does not run within a minute")
		}
	}
}

// kill ends the process with -9.
func (p *child) kill() {
	_ = p.cmd.Process.Kill() // an error says that it is dead already
	<-p.done
}

// end ends the process in order, and fails the test if it does not end so.
func (p *child) end() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("the app has ended: %v, %v", err, p.said("error"))
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Error("the app does not end within a minute of SIGTERM")
		p.kill()
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("the app ended with status %d: %v", code, p.said("error"))
	}
}
