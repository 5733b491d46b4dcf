package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseFindsPackagesSlowestFirst(t *testing.T) {
	got := parse("?   \thost/owner/m/nothing\t[no test files]\nok  \thost/owner/m/fast\t0.010s\nok  \thost/owner/m/slow\t12.5s\n" +
		"--- FAIL: TestX (1.00s)\nFAIL\thost/owner/m/bad\t1.000s\nFAIL\nok  \thost/owner/m/old\t(cached)\n")
	want := []pkg{{"host/owner/m/slow", 12.5}, {"host/owner/m/bad", 1}, {"host/owner/m/fast", 0.01}}
	if len(got) != len(want) {
		t.Fatalf("parse = %v; want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("package %d is %v; want %v", i, got[i], want[i])
		}
	}
}

func TestTable(t *testing.T) {
	got := table([]cost{
		{suite: suite{name: "unit"}, wall: 61 * time.Second, cpu: 100 * time.Second, packages: []pkg{{"host/owner/m/txn", 8}, {"host/owner/m", 2}}},
		{suite: suite{name: "real Kafka"}, wall: 30 * time.Second, cpu: 20 * time.Second, err: errors.New("exit status 1")},
	}, 2)
	want := `| suite | packages | seconds | CPU seconds | slowest packages |
|---|---|---|---|---|
| unit | 2 | 61 | 100 | ` + "`txn` 8, `m` 2" + ` |
| real Kafka (failed) | 0 | 30 | 20 |  |
| **all, on 2 cores** | 2 | 91 | 120 | |
`
	if got != want {
		t.Errorf("table:\n%s\nwant:\n%s", got, want)
	}
}

func TestRunMeasuresEachSuiteAndFailsWithOne(t *testing.T) {
	var out, errs strings.Builder
	code := run(t.Context(), []string{"good=printf 'ok  \\thost/owner/m/a\\t0.5s\\n'", "uncached=[[ $GOFLAGS == *-count=1* ]]", "bad=exit 3"}, &out, &errs)
	if code != 1 {
		t.Errorf("exit code %d with a suite that failed; want 1", code)
	}
	for _, want := range []string{"| good | 1 |", "| uncached | 0 |", "| bad (failed) |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s\n%s", want, &out, &errs)
		}
	}
	if !strings.Contains(errs.String(), "host/owner/m/a") {
		t.Errorf("the suite's output was not shown: %q", &errs)
	}
	if code := run(t.Context(), []string{"no command"}, &out, &errs); code != 2 {
		t.Errorf("exit code %d for a suite without a command; want 2", code)
	}
}
