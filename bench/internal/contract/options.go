package contract

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Guarantee says how often the effects of a record happen.
type Guarantee string

const (
	ExactlyOnce Guarantee = "eos"
	AtLeastOnce Guarantee = "alos"
	AtMostOnce  Guarantee = "amos"
)

// Options is what the harness tells an engine.
type Options struct {
	Brokers   []string // host:port
	Workload  string
	In        []string // input topics; table-join has its table second
	Out       string   // output topic
	App       string   // group id, and prefix of internal topics
	StateDir  string   // all state; may hold that of an earlier run of the same App
	Guarantee Guarantee
	Commit    time.Duration // commit interval in whole milliseconds; 0 is the engine's adaptive default
	CacheMB   int           // 0: one output record per input record of an aggregation; more: once per key and commit is enough
	Workers   int           // 1 unless told otherwise

	CPUProfile, MemProfile string // files to write; "" writes none. Not part of the contract: for engines of this project
}

// Parse reads a command line without the program's name. workloads are those the engine knows; extra, which may be nil,
// adds the engine's own flags. It returns flag.ErrHelp when the usage was asked for. Every other error names the flag
// and what it wants.
func Parse(name string, args, workloads []string, extra func(*flag.FlagSet)) (Options, error) {
	var o Options
	var brokers, in, guarantee string
	var commitMS int
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // the caller prints the error
	f.Usage = func() {}
	f.StringVar(&brokers, "brokers", "", "seed brokers, `HOST:PORT[,..]`")
	f.StringVar(&o.Workload, "workload", "", "one of "+strings.Join(workloads, ", "))
	f.StringVar(&in, "in", "", "input `TOPIC[,TOPIC2]`")
	f.StringVar(&o.Out, "out", "", "output `TOPIC`")
	f.StringVar(&o.App, "app", "", "group `ID`, and prefix of internal topics")
	f.StringVar(&o.StateDir, "state-dir", "", "`DIR` for all state")
	f.StringVar(&guarantee, "guarantee", string(ExactlyOnce), "eos, alos or amos")
	f.IntVar(&commitMS, "commit-ms", 100, "commit interval in `MS`; 0: adaptive")
	f.IntVar(&o.CacheMB, "cache-mb", 0, "0: one output per input of an aggregation; more: per key and commit")
	f.IntVar(&o.Workers, "workers", 1, "number of workers")
	f.StringVar(&o.CPUProfile, "cpuprofile", "", "`FILE` for a CPU profile")
	f.StringVar(&o.MemProfile, "memprofile", "", "`FILE` for an allocation profile")
	if extra != nil {
		extra(f)
	}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		usage := new(bytes.Buffer)
		f.SetOutput(usage)
		f.PrintDefaults()
		return o, fmt.Errorf("%w\n%s", err, usage)
	} else if err != nil {
		return o, err
	}
	o.Brokers, o.In = split(brokers), split(in)
	o.Guarantee, o.Commit = Guarantee(guarantee), time.Duration(commitMS)*time.Millisecond

	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if f.NArg() > 0 {
		bad("unexpected argument %q: every option is a flag", f.Arg(0))
	}
	if len(o.Brokers) == 0 {
		bad("--brokers wants HOST:PORT[,..]")
	}
	if !slices.Contains(workloads, o.Workload) {
		bad("--workload %q is not known: want one of %s", o.Workload, strings.Join(workloads, ", "))
	} else if want := inputs(o.Workload); len(o.In) != want {
		bad("--in %q names %d topics: %s wants %d", in, len(o.In), o.Workload, want)
	}
	for _, s := range []struct{ flag, value string }{{"out", o.Out}, {"app", o.App}, {"state-dir", o.StateDir}} {
		if s.value == "" {
			bad("--%s is missing", s.flag)
		}
	}
	if !slices.Contains([]Guarantee{ExactlyOnce, AtLeastOnce, AtMostOnce}, o.Guarantee) {
		bad("--guarantee %q is not known: want eos, alos or amos", guarantee)
	}
	if commitMS < 0 {
		bad("--commit-ms %d is negative: want an interval, or 0 for adaptive", commitMS)
	}
	if o.CacheMB < 0 {
		bad("--cache-mb %d is negative", o.CacheMB)
	}
	if o.Workers < 1 {
		bad("--workers %d: want at least 1", o.Workers)
	}
	return o, errors.Join(errs...)
}

// Args returns the command line for these options, without the program's name. Profiles are left out.
func (o Options) Args() []string {
	return []string{
		"--brokers", strings.Join(o.Brokers, ","), "--workload", o.Workload, "--in", strings.Join(o.In, ","),
		"--out", o.Out, "--app", o.App, "--state-dir", o.StateDir, "--guarantee", string(o.Guarantee),
		"--commit-ms", strconv.FormatInt(o.Commit.Milliseconds(), 10), "--cache-mb", strconv.Itoa(o.CacheMB),
		"--workers", strconv.Itoa(o.Workers),
	}
}

// inputs returns how many input topics a workload has.
func inputs(workload string) int {
	if workload == "table-join" || workload == "stream-join" {
		return 2
	}
	return 1
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
