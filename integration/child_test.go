package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/topology"
)

// children are the applications a child process can be, by name.
var children = map[string]func() (*topology.Topology, error){
	"count":     countTopology,
	"deploy-v1": deployV1,
	"deploy-v2": deployV2,
	"soak":      soakTopology,
}

func TestMain(m *testing.M) {
	if name := os.Getenv("MILLRACE_CHILD"); name != "" {
		if err := beChild(name); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// leaving is in the environment of a child that leaves its group when it ends.
const leaving = "MILLRACE_LEAVE=1"

// beChild runs an application until SIGTERM, and tells what happens.
func beChild(name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	top, err := children[name]()
	if err != nil {
		return err
	}
	config := millrace.Config{
		ApplicationID: os.Getenv("MILLRACE_APP"),
		Brokers:       strings.Split(os.Getenv("MILLRACE_BROKERS"), ","),
		StateDir:      os.Getenv("MILLRACE_DIR"),
		Workers:       2,
		Memory:        32 << 20,
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Client:        []kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())},
		Events: &millrace.Events{
			State:    func(_, to millrace.State) { fmt.Println("state", to) },
			Assigned: func(tasks []topology.TaskID) { fmt.Println("assigned", tasks) },
			Revoked:  func(tasks []topology.TaskID) { fmt.Println("revoked", tasks) },
			Restoring: func(r millrace.RestoreInfo) {
				if r.Done {
					fmt.Printf("restored %s %s %d %q\n", r.Task, r.Store, r.Records, r.Wiped)
				}
			},
			Recovered: func(r millrace.RecoverInfo) { fmt.Println("recovered", r.Err) },
			Hanging:   func(h millrace.HangInfo) { fmt.Println("hanging", h) },
		},
	}
	if os.Getenv("MILLRACE_LEAVE") != "" {
		config.OnStop = millrace.StopLeave
	}
	app, err := millrace.New(top, config)
	if err != nil {
		return err
	}
	return app.Run(ctx)
}

// A child is a running child process.
type child struct {
	name string
	cmd  *exec.Cmd
	log  logTail
	done chan struct{} // closed when it has ended and its output is read

	mu    sync.Mutex
	lines []string
}

// start starts an application on a directory. It is killed when the test ends, if it still runs.
func start(t *testing.T, name, app, dir string, brokers []string, env ...string) *child {
	t.Helper()
	c := &child{name: name, done: make(chan struct{})}
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), "MILLRACE_CHILD="+name, "MILLRACE_APP="+app, "MILLRACE_DIR="+dir, "MILLRACE_BROKERS="+strings.Join(brokers, ","))
	c.cmd.Env = append(c.cmd.Env, env...)
	dieWithParent(c.cmd)
	c.cmd.Stderr = &c.log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		c.read(out)
		_ = c.cmd.Wait() // how it ended is asked of ProcessState
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("%s in %s said at the end:\n%s", name, dir, c.log.String())
		}
	})
	return c
}

func (c *child) read(out io.Reader) {
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		c.mu.Lock()
		c.lines = append(c.lines, in.Text())
		c.mu.Unlock()
	}
}

// said returns the lines with a prefix.
func (c *child) said(prefix string) []string {
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

// tasks returns the tasks that run in the process, by what it has said of them, in order.
func (c *child) tasks() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, l := range c.lines {
		verb, rest, _ := strings.Cut(l, " ")
		for _, id := range strings.Fields(strings.Trim(rest, "[]")) {
			switch verb {
			case "assigned":
				list = append(list, id)
			case "revoked":
				list = slices.DeleteFunc(list, func(have string) bool { return have == id })
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// until waits until something is so of the process.
func (c *child) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	await(t, c.name+" "+what, func() bool {
		select {
		case <-c.done:
			if !so() {
				t.Fatalf("%s ended before it was %s: %v", c.name, what, c.said("error"))
			}
		default:
		}
		return so()
	})
}

// running waits until all that the process has to do runs.
func (c *child) running(t *testing.T) {
	t.Helper()
	c.until(t, "running", func() bool { return len(c.said("state running")) > 0 })
}

// kill ends the process with -9.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // an error says that it is dead already
	<-c.done
}

// end ends the process in order, and fails the test if it does not end so.
func (c *child) end(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("child %d: %v", c.cmd.Process.Pid, err)
	}
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Errorf("child %d does not end within %v of SIGTERM", c.cmd.Process.Pid, patience)
		c.kill()
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("child %d ended with status %d: %v", c.cmd.Process.Pid, code, c.said("error"))
	}
}

// logTail keeps the end of a log.
type logTail struct {
	mu  sync.Mutex
	buf []byte
}

func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if n := len(l.buf) - 32<<10; n > 0 {
		l.buf = l.buf[n:]
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}
