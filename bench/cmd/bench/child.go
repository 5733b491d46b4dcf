package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

const (
	stopGrace = 20 * time.Second // from SIGTERM to SIGKILL
	tailBytes = 4 << 10          // of standard error, kept for error messages
)

// A child is an engine's process. It is waited for from the start, so that a dead one is never a zombie.
type child struct {
	name    string
	cmd     *exec.Cmd
	started time.Time     // just before the process was made
	done    chan struct{} // closed when it has ended

	err    error // how it ended; read after done
	stdout bytes.Buffer
	stderr tail
}

// startChild starts an engine, pinned to cpus unless that is "". It gets SIGKILL when this process ends, as far as the
// system can do that.
func startChild(e engine, o contract.Options, cpus string) (*child, error) {
	argv := append(append([]string(nil), e.command...), o.Args()...)
	if cpus != "" {
		argv = append([]string{"taskset", "-c", cpus}, argv...) // it becomes the engine: the process id stays
	}
	c := &child{name: e.name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), contract.ReportEnv+"=1")
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	c.cmd.SysProcAttr = childAttr()
	c.cmd.WaitDelay = time.Second // for a grandchild that holds the pipes
	c.started = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// ended says how a process ended that should have run on.
func (c *child) ended() error {
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended by itself (%s)%s", c.name, how, c.stderr.quote())
}

// kill ends the process with SIGKILL and waits for its end. It does no harm to one that has ended.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // only fails when it has ended
	<-c.done
}

// stop ends the process with SIGTERM and wants it to exit with 0.
func (c *child) stop(ctx context.Context) error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	select {
	case <-c.done:
	case <-time.After(stopGrace):
		c.kill()
		return fmt.Errorf("%s did not stop within %v of SIGTERM%s", c.name, stopGrace, c.stderr.quote())
	case <-ctx.Done():
		c.kill()
		return fmt.Errorf("%s: %w while it was stopping%s", c.name, context.Cause(ctx), c.stderr.quote())
	}
	if c.err != nil {
		return fmt.Errorf("%s: %w after SIGTERM, want exit status 0%s", c.name, c.err, c.stderr.quote())
	}
	return nil
}

// fact returns the sum of what an ended engine reported under a name, and whether it did.
func (c *child) fact(name string) (int64, bool) {
	return parseFact(bytes.NewReader(c.stdout.Bytes()), name)
}

func parseFact(r io.Reader, name string) (sum int64, ok bool) {
	for sc := bufio.NewScanner(r); sc.Scan(); {
		if rest, found := strings.CutPrefix(sc.Text(), name+" "); found {
			if n, err := strconv.ParseInt(rest, 10, 64); err == nil {
				sum, ok = sum+n, true
			}
		}
	}
	return sum, ok
}

// tail keeps the last tailBytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if cut := len(t.b) - tailBytes; cut > 0 {
		t.b = append(t.b[:0], t.b[cut:]...)
	}
	return len(p), nil
}

// quote returns what was kept, to be put behind an error; "" when nothing was written.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := strings.TrimSpace(string(t.b)); s != "" {
		return "; it said: " + s
	}
	return ""
}
