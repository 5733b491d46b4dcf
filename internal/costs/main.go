// Command costs runs test suites one after the other and prints what each costs, as the table in CONTRIBUTING.md. It is
// what `make costs` runs:
//
//	costs "unit=go test -race ./..." "real Kafka=go test -race ./integration/..."
//
// Seconds are wall time, compiling included; CPU seconds are those of all processes of the suite, brokers included.
// Results of earlier runs are not used. The exit status is 1 if a suite failed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A suite is one command that runs tests.
type suite struct{ name, command string }

// A cost is what a suite took.
type cost struct {
	suite
	wall, cpu time.Duration
	packages  []pkg
	err       error
}

// A pkg is a package with tests, and how long they ran.
type pkg struct {
	path    string
	seconds float64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var costs []cost
	code := 0
	for _, arg := range args {
		name, command, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			fmt.Fprintf(errs, "costs: %q is no suite: want NAME=COMMAND\n", arg)
			return 2
		}
		c := measure(ctx, suite{name, command}, errs)
		if c.err != nil {
			fmt.Fprintf(errs, "costs: %s: %v\n", name, c.err)
			code = 1
		}
		costs = append(costs, c)
	}
	io.WriteString(out, table(costs, runtime.NumCPU()))
	return code
}

// measure runs a suite and shows its output meanwhile.
func measure(ctx context.Context, s suite, show io.Writer) cost {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "bash", "-c", s.command)
	cmd.Stdout = io.MultiWriter(&said, show)
	cmd.Stderr = show
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -count=1")
	start := time.Now()
	c := cost{suite: s, err: cmd.Run(), wall: time.Since(start)}
	if state := cmd.ProcessState; state != nil {
		c.cpu = state.UserTime() + state.SystemTime()
	}
	c.packages = parse(said.String())
	return c
}

var verdict = regexp.MustCompile(`(?m)^(?:ok|FAIL)\s+(\S+)\s+([0-9.]+)s`)

// parse finds the packages in what `go test` prints, slowest first.
func parse(out string) []pkg {
	var ps []pkg
	for _, m := range verdict.FindAllStringSubmatch(out, -1) {
		seconds, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			continue // a version that happens to look like a duration
		}
		ps = append(ps, pkg{m[1], seconds})
	}
	slices.SortStableFunc(ps, func(a, b pkg) int {
		if a.seconds != b.seconds {
			return int(b.seconds*1000) - int(a.seconds*1000)
		}
		return strings.Compare(a.path, b.path)
	})
	return ps
}

// table writes the costs in Markdown.
func table(costs []cost, cores int) string {
	const slowest = 3
	var b strings.Builder
	fmt.Fprintf(&b, "| suite | packages | seconds | CPU seconds | slowest packages |\n|---|---|---|---|---|\n")
	var all cost
	packages := 0
	for _, c := range costs {
		var names []string
		for _, p := range c.packages[:min(slowest, len(c.packages))] {
			names = append(names, fmt.Sprintf("`%s` %.0f", short(p.path), p.seconds))
		}
		failed := ""
		if c.err != nil {
			failed = " (failed)"
		}
		fmt.Fprintf(&b, "| %s%s | %d | %.0f | %.0f | %s |\n", c.name, failed, len(c.packages), c.wall.Seconds(), c.cpu.Seconds(), strings.Join(names, ", "))
		all.wall += c.wall
		all.cpu += c.cpu
		packages += len(c.packages)
	}
	fmt.Fprintf(&b, "| **all, on %d cores** | %d | %.0f | %.0f | |\n", cores, packages, all.wall.Seconds(), all.cpu.Seconds())
	return b.String()
}

// short leaves out the module's host and owner.
func short(path string) string {
	parts := strings.SplitN(path, "/", 4)
	return parts[len(parts)-1]
}
