package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
)

// shell starts a shell as engine, and returns when it has written a line to standard error.
func shell(t *testing.T, script string) *child {
	t.Helper()
	c, err := startChild(engine{name: "sh", command: []string{"sh", "-c", script}}, contract.Options{}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	deadline := time.Now().Add(30 * time.Second)
	for c.stderr.quote() == "" && time.Now().Before(deadline) {
		select {
		case <-c.done:
			deadline = time.Time{}
		case <-time.After(time.Millisecond):
		}
	}
	return c
}

func TestAnEngineThatStopsOnSIGTERMIsFineAndItsFactsAdd(t *testing.T) {
	c := shell(t, `trap 'echo mallocs 5; echo mallocs 7; echo other; echo replayed x; exit 0' TERM; echo up >&2; while :; do sleep 0.01; done`)
	if err := c.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, ok := c.fact("mallocs"); n != 12 || !ok {
		t.Errorf("mallocs %d, %v", n, ok)
	}
	if n, ok := c.fact("mallocs"); n != 12 || !ok {
		t.Errorf("mallocs, asked for again: %d, %v", n, ok)
	}
	if n, ok := c.fact("replayed"); ok {
		t.Errorf("a fact that is no number was taken as %d", n)
	}
}

func TestAnEngineThatFailsOnSIGTERMIsAnErrorWithItsWords(t *testing.T) {
	c := shell(t, `trap 'echo the disk is full >&2; exit 3' TERM; echo up >&2; while :; do sleep 0.01; done`)
	if err := c.stop(t.Context()); err == nil || !strings.Contains(err.Error(), "exit status 3 after SIGTERM") || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
}

func TestAnEngineThatIgnoresSIGTERMIsKilled(t *testing.T) {
	c := shell(t, `trap '' TERM; echo up >&2; while :; do sleep 0.01; done`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.stop(ctx); err == nil || !strings.Contains(err.Error(), "while it was stopping") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat("/proc/self"); err == nil {
		if _, err := os.Stat("/proc/" + strconv.Itoa(c.pid())); err == nil {
			t.Error("it still runs")
		}
	}
}

func TestAnEngineThatEndsByItselfSaysHow(t *testing.T) {
	c := shell(t, `echo no such topic >&2; exit 4`)
	<-c.done
	if err := c.ended(); !strings.Contains(err.Error(), "exit status 4") || !strings.Contains(err.Error(), "no such topic") {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatIsNotThereIsAnErrorThatNamesTheEngine(t *testing.T) {
	if _, err := startChild(engine{name: "ks", command: []string{"./nobody"}}, contract.Options{}, ""); err == nil || !strings.Contains(err.Error(), "ks: ") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheEndOfWhatAnEngineSaysIsKept(t *testing.T) {
	var tl tail
	for range 100 {
		_, _ = tl.Write([]byte(strings.Repeat("x", 100))) // never fails
	}
	_, _ = tl.Write([]byte("the end"))
	if len(tl.b) != tailBytes || !strings.HasSuffix(tl.quote(), "xthe end") {
		t.Errorf("%d bytes kept: %q", len(tl.b), tl.quote())
	}
}

func TestEnginesArePinnedWithTasksetAndAskedForFacts(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$@\" $" + contract.ReportEnv + " >&2\n"
	if err := os.WriteFile(filepath.Join(dir, "taskset"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	c, err := startChild(engine{name: "e", command: []string{"prog", "first"}}, contract.Options{App: "id"}, "3")
	if err != nil {
		t.Fatal(err)
	}
	<-c.done
	said := c.stderr.quote()
	if !strings.HasPrefix(said, "; it said: -c 3 prog first --brokers") || !strings.Contains(said, " --app id ") || !strings.HasSuffix(said, " 1") {
		t.Errorf("taskset was given %q", said)
	}
}
