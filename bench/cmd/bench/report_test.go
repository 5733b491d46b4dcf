package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// sample is a report of two rounds in which one run failed.
func sample(t *testing.T) *report {
	r := &report{
		config: parse(t, "-workloads", "copy,count-1k", "-rounds", "2", "-records", "1000"),
		at:     time.Date(2026, 11, 21, 9, 5, 0, 0, time.UTC),
	}
	add := func(w, e string, round int, speed float64, err error) {
		v := values{perCPU: speed, perWall: speed / 2, wall: 5.04, rss: 81}
		if e == "millrace" {
			v[mallocs], v[commit99], v[store99] = 3.5, 12.3, 4.5
		}
		if err != nil {
			v = nil
		}
		r.add(outcome{workload: w, engine: e, round: round, values: v, err: err})
	}
	add("copy", "millrace", 0, 1000, nil)
	add("copy", "b0", 0, 2000, nil)
	add("copy", "millrace", 1, 3000, nil)
	add("copy", "b0", 1, 3000, nil)
	add("count-1k", "millrace", 0, 400, nil)
	add("count-1k", "h", 0, 0, errors.New("wrong output: 3 of 1000 counts are short"))
	add("count-1k", "millrace", 1, 500, nil)
	add("count-1k", "h", 1, 1000, nil)
	return r
}

func TestTableShowsMedianSpreadAndRatioOfTheSameRound(t *testing.T) {
	var b strings.Builder
	sample(t).table(&b)
	want := `
workload  records  engine    rounds  k records/CPU-s      x ceiling         k records/s          wall s         RSS MB      allocs/record     commit p99 ms     stores' p99 ms
copy      1000     millrace  2       2,000 (1,000-3,000)  0.75 (0.50-1.00)  1,000 (500-1,500)    5.0 (5.0-5.0)  81 (81-81)  3.50 (3.50-3.50)  12.3 (12.3-12.3)  4.5 (4.5-4.5)
copy      1000     b0        2       2,500 (2,000-3,000)  -                 1,250 (1,000-1,500)  5.0 (5.0-5.0)  81 (81-81)  -                 -                 -
count-1k  1000     millrace  2       450 (400-500)        0.50              225 (200-250)        5.0 (5.0-5.0)  81 (81-81)  3.50 (3.50-3.50)  12.3 (12.3-12.3)  4.5 (4.5-4.5)
count-1k  1000     h         1       1,000                -                 500                  5.0            81          -                 -                 -
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

func TestFailedRunsAreNamedAndFailTheWhole(t *testing.T) {
	r := sample(t)
	if got := r.String(); !strings.Contains(got, "\ncount-1k, h, round 1: FAILED: wrong output: 3 of 1000 counts are short\n") {
		t.Errorf("the failed run is not named:\n%s", got)
	}
	if err := r.failure(); err == nil || err.Error() != "1 of 8 runs failed" {
		t.Errorf("got %v", err)
	}
	r.outcomes = r.outcomes[:4]
	if err := r.failure(); err != nil {
		t.Errorf("no run failed, but: %v", err)
	}
	r.outcomes = nil
	if err := r.failure(); err == nil {
		t.Error("nothing measured is no failure")
	}
}

func TestReportIsWrittenToAFileNamedByDateAndMode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	var out strings.Builder
	r := sample(t)
	if err := r.publish(&out, dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "2026-11-21-0905-throughput.txt"))
	if err != nil || string(b) != out.String() || out.String() != r.String() {
		t.Errorf("%v; file and output differ", err)
	}
	for _, line := range []string{"date      2026-11-21 09:05 UTC", "machine ", "commit ", "broker ", "cores ", "setting   eos, commit 100 ms, cache 0 MB"} {
		if !strings.Contains(string(b), line) {
			t.Errorf("%q is missing", line)
		}
	}
}

func TestRevisionSaysWhetherTheTreeWasChanged(t *testing.T) {
	const commit = "0123456789abcdef"
	for _, c := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, ""},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "false"}}, "0123456789ab"},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "true"}}, "0123456789ab with changes"},
	} {
		if got := stamp(c.settings); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
