package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/bench/internal/workload"
)

func parse(t *testing.T, args ...string) config {
	t.Helper()
	c, err := parseConfig(append([]string{"-brokers", "b:1", "-cpus", "", "-bin", "dir"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lineup is who runs in which workload.
func lineup(c config) string {
	var all []string
	for _, w := range c.workloads {
		for _, e := range c.entrants(w) {
			all = append(all, w.Name+":"+e.name)
		}
	}
	return strings.Join(all, " ")
}

func TestEveryWorkloadHasOurEngineAndItsCeiling(t *testing.T) {
	for mode, want := range map[string]string{
		"throughput": "copy:millrace copy:b0 count-1k:millrace count-1k:h count-100k:millrace count-100k:h count-1m:millrace count-1m:h window:millrace window:h session:millrace table-join:millrace stream-join:millrace shuffle:millrace",
		"restart":    "count-1m:millrace",
		"restore":    "count-1m:millrace count-1m:h",
	} {
		if got := lineup(parse(t, "-mode", mode)); got != want {
			t.Errorf("%s: got  %s\nwant %s", mode, got, want)
		}
	}
}

func TestNamedEnginesReplaceOursAndACeilingStaysInItsWorkloads(t *testing.T) {
	c := parse(t, "-engine", "ks=java -jar ks.jar", "-engine", "b0=x/b0", "-workloads", "copy,window")
	if got, want := lineup(c), "copy:ks copy:b0 window:ks"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := c.engines[0].command; !slices.Equal(got, []string{"java", "-jar", "ks.jar"}) {
		t.Errorf("command %q", got)
	}
	if got := lineup(parse(t, "-mode", "restart", "-engine", "h=x/h")); got != "count-1m:h" {
		t.Errorf("a ceiling asked for by name is restarted too: got %q", got)
	}
}

func TestProgramsAreBesideTheHarness(t *testing.T) {
	if got := parse(t).engines[0].command; !slices.Equal(got, []string{"dir/engine"}) {
		t.Errorf("got %q", got)
	}
}

func TestSizesAreTheWorkloadsOwnUnlessTold(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int64
	}{
		{nil, workload.All()[0].Records}, {[]string{"-records", "7"}, 7},
		{[]string{"-mode", "restore", "-workloads", "count-1k"}, restoreRecords},
	} {
		conf := parse(t, c.args...)
		if got := conf.size(conf.workloads[0]); got != c.want {
			t.Errorf("%v: got %d, want %d", c.args, got, c.want)
		}
	}
}

func TestBadFlagsNameTheFlag(t *testing.T) {
	for _, c := range []struct{ flags, want string }{
		{"", "-brokers is missing"},
		{"-brokers b:1 -mode fast", `-mode "fast" is not known`},
		{"-brokers b:1 -guarantee none", `-guarantee "none" is not known`},
		{"-brokers b:1 -mode restart -guarantee alos", "want -guarantee eos"},
		{"-brokers b:1 -mode restart -workloads copy", "-mode restart is about state: copy has none"},
		{"-brokers b:1 -workloads sort", `workload "sort" is not known`},
		{"-brokers b:1 -rounds 0", "-rounds"},
		{"-brokers b:1 -engine ks", "want NAME=COMMAND"},
		{"-brokers b:1 -engine =x", "want NAME=COMMAND"},
		{"-brokers b:1 -deadline 0s", "-deadline"},
		{"-brokers b:1 more", `unexpected argument "more"`},
	} {
		_, err := parseConfig(append([]string{"-cpus", ""}, strings.Fields(c.flags)...), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to contain %q", c.flags, err, c.want)
		}
	}
}

func TestPinningWithoutTasksetIsRefused(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := parseConfig([]string{"-brokers", "b:1", "-cpus", "1"}, io.Discard); err == nil || !strings.Contains(err.Error(), "taskset") {
		t.Errorf("got %v", err)
	}
	if _, err := parseConfig([]string{"-brokers", "b:1"}, io.Discard); err != nil {
		t.Errorf("without taskset engines are not pinned by default: %v", err)
	}
}
