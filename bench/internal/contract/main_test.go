package contract

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary stand in for an engine: the tests below start it again with CONTRACT_ENGINE set.
func TestMain(m *testing.M) {
	switch os.Getenv("CONTRACT_ENGINE") {
	case "obedient":
		Main("obedient", known, nil, func(ctx context.Context, _ Options) error {
			os.Stderr.WriteString("up\n")
			<-ctx.Done()
			return nil
		})
	case "opening":
		Main("opening", known, nil, func(ctx context.Context, _ Options) error {
			os.Stderr.WriteString("up\n")
			<-ctx.Done()
			return fmt.Errorf("restore: %w", ctx.Err())
		})
	case "failing":
		Main("failing", known, nil, func(context.Context, Options) error { return errors.New("the disk is full") })
	case "deserting":
		Main("deserting", known, nil, func(context.Context, Options) error { return nil })
	default:
		os.Exit(m.Run())
	}
}

func engine(kind string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "CONTRACT_ENGINE="+kind, ReportEnv+"=")
	return cmd
}

func TestFailuresExitNonZeroWithTheReasonOnStandardError(t *testing.T) {
	for _, c := range []struct {
		cmd  *exec.Cmd
		code int
		want string
	}{
		{engine("obedient", line("--workload", "sort")...), 2, `obedient: --workload "sort" is not known`},
		{engine("obedient", line("--speed", "9")...), 2, "obedient: flag provided but not defined: -speed"},
		{engine("failing", line()...), 1, "failing: the disk is full"},
		{engine("deserting", line()...), 1, "deserting: ended without being told to"},
	} {
		var stderr strings.Builder
		c.cmd.Stderr = &stderr
		stdout, err := c.cmd.Output()
		if code := c.cmd.ProcessState.ExitCode(); code != c.code || !strings.HasPrefix(stderr.String(), c.want) {
			t.Errorf("exit %d (%v), stderr %q; want %d, %q", code, err, stderr.String(), c.code, c.want)
		}
		if len(stdout) > 0 {
			t.Errorf("standard output must stay quiet, got %q", stdout)
		}
	}
}

func TestSIGTERMEndsAnEngineWithZeroAndFactsOnlyIfAskedFor(t *testing.T) {
	for _, c := range [][2]string{{"obedient", ""}, {"obedient", "1"}, {"opening", ""}} {
		kind, ask := c[0], c[1]
		cmd := engine(kind, line()...)
		cmd.Env = append(cmd.Env, ReportEnv+"="+ask)
		var stdout strings.Builder
		cmd.Stdout = &stdout
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(stderr).ReadString('\n'); line != "up\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: SIGTERM must end it with 0, got %v", kind, err)
		}
		if got := strings.HasPrefix(stdout.String(), Mallocs+" "); got != (ask == "1") {
			t.Errorf("%s=%q: standard output %q", ReportEnv, ask, stdout.String())
		}
	}
}
