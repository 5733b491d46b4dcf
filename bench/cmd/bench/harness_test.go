package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// bench runs the whole program with the stub as its only engine, on a broker in this process. It returns what was printed
// and the names of the topics and groups that are left.
func bench(t *testing.T, behaviour string, args ...string) (table, progress string, left []string, err error) {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Logf("engines can be measured on Linux only: %v", err)
	}
	t.Setenv(stubEnv, behaviour)
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), append([]string{
		"-brokers", strings.Join(c.ListenAddrs(), ","), "-engine", "stub=" + os.Args[0], "-cpus", "", "-dir", dir, "-results", "",
	}, args...), &stdout, &stderr)
	if state, _ := os.ReadDir(dir); len(state) > 0 {
		t.Errorf("state is left in %s: %v", dir, state)
	}
	return stdout.String(), stderr.String(), leftOn(t, c), err
}

// leftOn returns the names of all topics and groups of a broker.
func leftOn(t *testing.T, c *kfake.Cluster) []string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	topics, err := kadm.NewClient(cl).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := kadm.NewClient(cl).ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return append(topics.Names(), groups.Groups()...)
}

func TestARightEngineIsMeasuredAndNothingIsLeftBehind(t *testing.T) {
	table, progress, left, err := bench(t, "right", "-workloads", "copy,count-1k", "-records", "20000", "-rounds", "2")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	for _, w := range []string{"copy", "count-1k"} {
		row := regexp.MustCompile(`(?m)^` + w + ` +20000 +stub +2 +[\d,]+ \(`) // and figures in each column, but no ceiling
		if !row.MatchString(table) {
			t.Errorf("no row for %s in\n%s", w, table)
		}
	}
	if len(left) > 0 {
		t.Errorf("left on the broker: %v", left)
	}
}

func TestAWrongOutputIsNotAMeasurement(t *testing.T) {
	table, _, left, err := bench(t, "wrong", "-workloads", "copy", "-records", "20000", "-rounds", "1")
	if err == nil || err.Error() != "1 of 1 runs failed" {
		t.Errorf("got %v", err)
	}
	if !regexp.MustCompile(`copy +20000 +stub +0 +- `).MatchString(table) || !strings.Contains(table, "FAILED: wrong output: ") {
		t.Errorf("got\n%s", table)
	}
	if len(left) > 0 {
		t.Errorf("left on the broker: %v", left)
	}
}

func TestAnEngineThatDiesIsReportedWithItsWords(t *testing.T) {
	table, _, _, err := bench(t, "dies", "-workloads", "copy", "-records", "1000", "-rounds", "1")
	if err == nil || !strings.Contains(table, "stub ended by itself (exit status 1); it said: stub: the disk is full") {
		t.Errorf("%v\n%s", err, table)
	}
}

func TestAnEngineThatMakesNoProgressMeetsTheDeadline(t *testing.T) {
	table, _, left, err := bench(t, "stuck", "-workloads", "copy", "-records", "1000", "-rounds", "1", "-deadline", "1s")
	if err == nil || !strings.Contains(table, "the deadline of 1s has passed: 0 of 1000 records are committed") {
		t.Errorf("%v\n%s", err, table)
	}
	if len(left) > 0 {
		t.Errorf("left on the broker: %v", left)
	}
}

func TestRestartTimesAKillAndAStopAndVerifiesTheWholeOutput(t *testing.T) {
	table, progress, left, err := bench(t, "waits at 20000,30000", "-mode", "restart", "-workloads", "count-1k", "-records", "40000", "-rounds", "1")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	var kill, stop, disk float64
	var replayed, replayedStop string
	line := lastLine(table)
	if _, err := fmt.Sscanf(line, "count-1k 40000 stub 1 %f %s %f %s %f", &kill, &replayed, &stop, &replayedStop, &disk); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if kill <= 0 || stop <= 0 || !strings.HasPrefix(replayed, "20,") || replayedStop != "0" || disk <= 0 {
		t.Errorf("got %q", line)
	}
	if len(left) > 0 {
		t.Errorf("left on the broker: %v", left)
	}
}

func TestRestoreStartsWithoutState(t *testing.T) {
	table, progress, _, err := bench(t, "waits at 36000", "-mode", "restore", "-workloads", "count-1k", "-records", "40000", "-rounds", "1")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	var cold, cpu, logged float64
	var replayed string
	if _, err := fmt.Sscanf(lastLine(table), "count-1k 40000 stub 1 %f %f %s %f", &cold, &cpu, &replayed, &logged); err != nil || cold <= 0 || !strings.HasPrefix(replayed, "36,") {
		t.Errorf("%q: %v", lastLine(table), err)
	}
}

func TestAnInterruptCleansUp(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv(stubEnv, "stuck")
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	go func() { // interrupt it once the engine's directory is there
		defer cancel()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if d, err := os.ReadDir(dir); err != nil || len(d) > 0 {
				return
			}
		}
	}()
	var stdout, stderr bytes.Buffer
	err = run(ctx, []string{
		"-brokers", strings.Join(c.ListenAddrs(), ","), "-engine", "stub=" + os.Args[0], "-cpus", "", "-dir", dir, "-results", "",
		"-workloads", "copy", "-records", "1000",
	}, &stdout, &stderr)
	if err == nil || !strings.Contains(stdout.String(), "interrupted") {
		t.Errorf("%v\n%s", err, stdout.String())
	}
	if d, _ := os.ReadDir(dir); len(d) > 0 {
		t.Errorf("state is left: %v", d)
	}
	if left := leftOn(t, c); len(left) > 0 {
		t.Errorf("left on the broker: %v", left)
	}
}

// lastLine is the table's only row, with single blanks.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(strings.Fields(lines[len(lines)-1]), " ")
}
