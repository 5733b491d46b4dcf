package testkafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	ready        = "Kafka Server started" // the last line of a start; the port is open earlier than the broker answers
	portTaken    = "Address already in use"
	startTimeout = 2 * time.Minute // 2 to 3 s on an idle machine; much more beside other tests
	stopTimeout  = 30 * time.Second
	pollEvery    = 20 * time.Millisecond
)

// Options say how to run a broker. The zero value is for tests: a temporary folder, free ports, quick to start.
type Options struct {
	Dir        string            // folder for its data and log; empty: a temporary one, removed by Close
	Port       int               // for clients; 0: a free one
	Controller int               // port of its controller; 0: a free one
	Heap       string            // of Java, as "1g"; empty: 384m
	LongRun    bool              // use the optimising compiler: slower to start, faster after a minute
	Properties map[string]string // Kafka's settings, over those in kafka/server.properties
	Node       int               // node id; 0: 1
	ClusterID  string            // the same for all brokers of one cluster; empty: one of its own
	Files      map[string][]byte // certificates and the like, put into the broker's folder, where it runs
}

// A Broker is one Apache Kafka broker in a process of its own. Its methods must not be called at the same time.
type Broker struct {
	kit  Kit
	opts Options
	dir  string
	temp bool     // dir is ours, and goes with the broker
	lock *os.File // of dir; the broker's process holds it too

	port, controller int
	process          *os.Process   // nil: not running
	exited           chan struct{} // closed when process has ended and been waited for
}

// Start runs a broker and returns when it answers. The broker ends with Close, or with this process.
func Start(ctx context.Context, kit Kit, opts Options) (*Broker, error) {
	b, err := open(kit, opts)
	if err != nil {
		return nil, err
	}
	if err := b.Start(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// open makes and locks the folder.
func open(kit Kit, opts Options) (*Broker, error) {
	b := &Broker{kit: kit, opts: opts, dir: opts.Dir, port: opts.Port, controller: opts.Controller}
	if b.dir == "" {
		sweep(os.TempDir())
		dir, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return nil, fmt.Errorf("testkafka: no folder for a broker: %w", err)
		}
		b.dir, b.temp = dir, true
	}
	dir, err := filepath.Abs(b.dir)
	if err != nil {
		return nil, fmt.Errorf("testkafka: no folder for a broker: %w", err)
	}
	b.dir = dir
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, fmt.Errorf("testkafka: no folder for a broker: %w", err)
	}
	if b.lock, err = lockFile(filepath.Join(b.dir, "lock"), false); err != nil {
		return nil, err
	}
	return b, nil
}

// Addr returns the broker's address, host:port. It stays the same over Stop and Start.
func (b *Broker) Addr() string { return "127.0.0.1:" + strconv.Itoa(b.port) }

// LogFile returns the file that holds what the broker printed, over all its starts.
func (b *Broker) LogFile() string { return filepath.Join(b.dir, "log") }

// Start starts a broker that was stopped, on its old data and address, and returns when it answers.
func (b *Broker) Start(ctx context.Context) error {
	if b.process != nil {
		return fmt.Errorf("testkafka: the broker on %s runs already", b.Addr())
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for try := 1; ; try++ {
		if b.port == 0 || b.controller == 0 {
			ports, err := freePorts(2)
			if err != nil {
				return err
			}
			if b.port == 0 {
				b.port = ports[0]
			}
			if b.controller == 0 {
				b.controller = ports[1]
			}
		}
		if err := b.prepare(ctx); err != nil {
			return err
		}
		said, err := b.launch(ctx, childAttr())
		if err == nil {
			return nil
		}
		// Somebody took the port between freePorts and now. A broker's first start may choose again.
		first := try < 4 && b.opts.Port == 0 && strings.Contains(said, portTaken) && !b.served()
		if !first {
			return err
		}
		b.port, b.controller = b.opts.Port, b.opts.Controller
	}
}

// served reports whether the broker has answered on its address before: clients may know it.
func (b *Broker) served() bool {
	log, err := os.ReadFile(b.LogFile())
	return err == nil && bytes.Contains(log, []byte(ready))
}

// launch starts the process and waits for its ready line. When it fails no process is left, and said is what the
// broker printed.
func (b *Broker) launch(ctx context.Context, attr *syscall.SysProcAttr) (said string, err error) {
	log, err := os.OpenFile(b.LogFile(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return "", fmt.Errorf("testkafka: no log for a broker: %w", err)
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return "", fmt.Errorf("testkafka: no log for a broker: %w", err)
	}

	cmd := exec.Command(b.kit.Java, b.arguments()...)
	cmd.Dir = b.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{b.lock}
	cmd.SysProcAttr = attr
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		// The signal of childAttr is sent when the starting thread ends, not the process: so this thread stays until
		// the broker has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended shows in its log
		}
		close(exited)
	}()
	if err := <-started; err != nil {
		return "", fmt.Errorf("testkafka: cannot start %s: %w", b.kit.Java, err)
	}
	b.process, b.exited = cmd.Process, exited
	err = writePID(b.dir, cmd.Process.Pid, b.Addr())
	if err == nil {
		err = b.awaitReady(ctx, log, from)
	}
	if err != nil {
		b.Kill()
		all, _ := os.ReadFile(b.LogFile()) // without it the error says less
		said = string(all[min(from, int64(len(all))):])
		return said, fmt.Errorf("%w; its log %s ends:\n%s", err, b.LogFile(), lastLines(said, 25))
	}
	return "", nil
}

func (b *Broker) arguments() []string {
	heap := b.opts.Heap
	if heap == "" {
		heap = "384m"
	}
	args := []string{"-Xms128m", "-Xmx" + heap}
	if !b.opts.LongRun {
		args = append(args, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
	}
	return append(args, "-XX:-UsePerfData", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+filepath.Join(b.dir, "log4j2.properties"),
		"-Dlog4j.configuration=file:"+filepath.Join(b.dir, "log4j.properties"),
		"-cp", filepath.Join(b.kit.Libs, "*"), "kafka.Kafka", filepath.Join(b.dir, "server.properties"))
}

// awaitReady reads the log from an offset until the broker says that it is up, has ended, or ctx is done.
func (b *Broker) awaitReady(ctx context.Context, log io.ReaderAt, from int64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var seen []byte
	buf := make([]byte, 64<<10)
	for {
		ended := false
		select {
		case <-ctx.Done():
			return fmt.Errorf("testkafka: the broker on %s is not up: %w", b.Addr(), context.Cause(ctx))
		case <-b.exited:
			ended = true
		case <-tick.C:
		}
		for {
			n, err := log.ReadAt(buf, from)
			from += int64(n)
			seen = append(seen, buf[:n]...)
			if err != nil && err != io.EOF {
				return fmt.Errorf("testkafka: the broker's log: %w", err)
			}
			if n < len(buf) {
				break
			}
		}
		if ended {
			return fmt.Errorf("testkafka: the broker on %s ended while starting", b.Addr())
		}
		if bytes.Contains(seen, []byte(ready)) {
			return nil
		}
		seen = seen[max(0, len(seen)-len(ready)):] // the line may come in two pieces
	}
}

// Stop shuts the broker down in good order and returns when its process has ended. Start brings it back.
func (b *Broker) Stop() error {
	if b.process == nil {
		return nil
	}
	_ = b.process.Signal(syscall.SIGCONT) // a paused process would not see the next one; one that has ended needs none
	if err := b.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("testkafka: cannot stop the broker on %s: %w", b.Addr(), err)
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-b.exited:
		b.process = nil
		return nil
	case <-timeout.C:
		b.Kill()
		return fmt.Errorf("testkafka: the broker on %s did not stop in %v and was killed; see %s", b.Addr(), stopTimeout, b.LogFile())
	}
}

// Kill ends the broker at once, as kill -9 does, and returns when its process has ended. A transaction that was being
// ended on a single node may be left hanging in its partitions: tests of exactly-once stop brokers rather than kill them.
func (b *Broker) Kill() {
	if b.process == nil {
		return
	}
	_ = b.process.Kill() // it fails when the process has ended already
	<-b.exited
	b.process = nil
}

// Pause stops the broker's process as SIGSTOP does: its connections stay, and nothing answers. Resume lets it go on.
func (b *Broker) Pause() error { return b.signal(syscall.SIGSTOP, "pause") }

// Resume lets a paused broker go on.
func (b *Broker) Resume() error { return b.signal(syscall.SIGCONT, "resume") }

func (b *Broker) signal(s syscall.Signal, verb string) error {
	if b.process == nil {
		return fmt.Errorf("testkafka: cannot %s the broker on %s: it does not run", verb, b.Addr())
	}
	if err := b.process.Signal(s); err != nil {
		return fmt.Errorf("testkafka: cannot %s the broker on %s: %w", verb, b.Addr(), err)
	}
	return nil
}

// Close ends the broker for good, and removes its folder if it is a temporary one.
func (b *Broker) Close() error { return b.close(false) }

// CloseKeepLog is Close, but leaves the log for whoever looks into a failed test.
func (b *Broker) CloseKeepLog() error { return b.close(true) }

// close keeps the log when told to.
func (b *Broker) close(keepLog bool) error {
	b.Kill()
	defer b.lock.Close()
	switch {
	case !b.temp:
		return nil
	case keepLog:
		// Without its lock the folder is no longer swept.
		return errors.Join(os.RemoveAll(filepath.Join(b.dir, "data")), os.Remove(b.lock.Name()))
	default:
		return os.RemoveAll(b.dir)
	}
}

// lastLines returns the end of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
