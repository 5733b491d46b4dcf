package child

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds every wait: longer than any of them takes on a busy machine. What takes longer is stuck.
const Patience = 90 * time.Second

// A Child is a running process.
type Child struct {
	Name string
	cmd  *exec.Cmd
	log  Tail
	done chan struct{} // closed when it has ended and its output is read

	mu    sync.Mutex
	lines []string
}

// Start starts a program. It is killed when the test ends, if it still runs.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Child {
	t.Helper()
	c := &Child{Name: name, cmd: cmd, done: make(chan struct{})}
	DieWithParent(cmd)
	cmd.Stderr = &c.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(c.done)
		c.read(out)
		_ = cmd.Wait() // how it ended is asked of ProcessState
	}()
	t.Cleanup(func() {
		c.Kill()
		if t.Failed() {
			t.Logf("%s said %q; its log ends:\n%s", name, c.Said(""), &c.log)
		}
	})
	return c
}

func (c *Child) read(out io.Reader) {
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		c.mu.Lock()
		c.lines = append(c.lines, in.Text())
		c.mu.Unlock()
	}
}

// Said returns the lines with a prefix, in order.
func (c *Child) Said(prefix string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, l := range c.lines {
		if strings.HasPrefix(l, prefix) {
			list = append(list, l)
		}
	}
	return list
}

// Ended is closed when the process has ended and all its lines are there.
func (c *Child) Ended() <-chan struct{} { return c.done }

// Until waits until something is so of the process. That it ends before fails the test.
func (c *Child) Until(t testing.TB, what string, so func() bool) {
	t.Helper()
	late := time.NewTimer(Patience)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-c.done:
			if !so() {
				t.Fatalf("%s ended before it was %s: %v", c.Name, what, c.Said("error"))
			}
		case <-late.C:
			t.Fatalf("%s is not %s within %v", c.Name, what, Patience)
		}
	}
}

// Signal sends the process a signal.
func (c *Child) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Errorf("%s: %v: %v: %v", c.Name, s, err, c.Said("error"))
	}
}

// Kill ends the process with -9.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill() // an error says that it is dead already
	<-c.done
}

// Stop ends the process in order, as SIGTERM does, and fails the test if it does not end. Its status may be any.
func (c *Child) Stop(t testing.TB) {
	t.Helper()
	c.Signal(t, syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(Patience):
		t.Errorf("%s does not end within %v of SIGTERM", c.Name, Patience)
		c.Kill()
	}
}

// End ends the process in order, and fails the test if its status is not 0.
func (c *Child) End(t testing.TB) {
	t.Helper()
	c.Stop(t)
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended with status %d: %v", c.Name, code, c.Said("error"))
	}
}
