package contract

import (
	"errors"
	"flag"
	"reflect"
	"strings"
	"testing"
	"time"
)

var known = []string{"copy", "count-1k", "table-join"}

func line(extra ...string) []string {
	return append([]string{
		"--brokers", "a:1,b:2", "--workload", "copy", "--in", "in", "--out", "out", "--app", "id", "--state-dir", "dir",
	}, extra...)
}

func TestDefaultsAreOneWorkerExactlyOnceEvery100ms(t *testing.T) {
	o, err := Parse("e", line(), known, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Options{
		Brokers: []string{"a:1", "b:2"}, Workload: "copy", In: []string{"in"}, Out: "out", App: "id", StateDir: "dir",
		Guarantee: ExactlyOnce, Commit: 100 * time.Millisecond, CacheMB: 0, Workers: 1,
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v\nwant %+v", o, want)
	}
}

func TestArgsAndParseAreInverse(t *testing.T) {
	want := Options{
		Brokers: []string{"a:1", "b:2"}, Workload: "table-join", In: []string{"in", "rows"}, Out: "out", App: "id",
		StateDir: "dir", Guarantee: AtMostOnce, Commit: 0, CacheMB: 10, Workers: 3,
	}
	got, err := Parse("e", want.Args(), known, nil)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestBadCommandLinesNameTheFlagAndWhatItWants(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{line("--workload", "sort"), `--workload "sort" is not known: want one of copy, count-1k, table-join`},
		{line("--workload", "table-join"), `--in "in" names 1 topics: table-join wants 2`},
		{line("--in", "a,b"), `--in "a,b" names 2 topics: copy wants 1`},
		{line("--brokers", ""), "--brokers wants HOST:PORT"},
		{line("--out", ""), "--out is missing"},
		{line("--app", ""), "--app is missing"},
		{line("--state-dir", ""), "--state-dir is missing"},
		{line("--guarantee", "twice"), `--guarantee "twice" is not known: want eos, alos or amos`},
		{line("--commit-ms", "-1"), "--commit-ms -1 is negative"},
		{line("--commit-ms", "soon"), "-commit-ms"},
		{line("--cache-mb", "-1"), "--cache-mb -1 is negative"},
		{line("--workers", "0"), "--workers 0: want at least 1"},
		{line("--speed", "9"), "-speed"},
		{line("more"), `unexpected argument "more"`},
	} {
		if _, err := Parse("e", c.args, known, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want it to contain %q", c.args[12:], err, c.want)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := Parse("e", nil, known, nil)
	for _, flag := range []string{"--brokers", "--workload", "--out", "--app", "--state-dir"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not in: %v", flag, err)
		}
	}
}

func TestHelpListsTheFlagsOfTheEngineToo(t *testing.T) {
	_, err := Parse("e", []string{"-h"}, known, func(f *flag.FlagSet) { f.Int("read-cache", 0, "entries") })
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(err.Error(), "-read-cache") {
		t.Errorf("got %v", err)
	}
}
