package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/measure"
	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// A mode is what a run does with an engine.
type mode string

const (
	throughput mode = "throughput" // until the input is used up
	restart    mode = "restart"    // kill -9 under load, start again, stop, start again
	restore    mode = "restore"    // stop, delete the state, start again
)

// An engine is a program that answers to the contract.
type engine struct {
	name    string
	command []string // program and first arguments
	asked   bool     // given by -engine
}

type config struct {
	brokers   []string
	mode      mode
	workloads []workload.Workload
	engines   []engine
	rounds    int
	records   int64 // of every workload; 0: each one's own number
	guarantee contract.Guarantee
	commit    time.Duration
	cacheMB   int
	workers   int
	cpus      string        // cores for engines, in taskset's format; "": not pinned
	deadline  time.Duration // of one run of one engine
	dir       string        // for state directories
	results   string        // folder for the table; "": none
}

// defaults are the workloads of a mode when none are named.
var defaults = map[mode]string{
	throughput: "copy,count-1k,count-100k,count-1m,window,session,table-join,stream-join,shuffle",
	restart:    "count-1m",
	restore:    "count-1m",
}

// restoreRecords is the default size of a restore: five million of them are in the changelog when it begins.
const restoreRecords = 5_600_000

func parseConfig(args []string, usage io.Writer) (config, error) {
	var c config
	var brokers, mode_, workloads, bin, guarantee string
	var commitMS int
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	f.StringVar(&brokers, "brokers", "", "seed brokers, `HOST:PORT[,..]`")
	f.StringVar(&mode_, "mode", string(throughput), "throughput, restart or restore")
	f.StringVar(&workloads, "workloads", "", "`NAMES`, comma separated (default those the mode is for)")
	f.StringVar(&bin, "bin", executableDir(), "`DIR` with the programs engine, b0 and h")
	f.Func("engine", "`NAME=COMMAND` to measure, instead of engine, b0 and h; may be repeated", func(s string) error {
		name, command, _ := strings.Cut(s, "=")
		if name == "" || len(strings.Fields(command)) == 0 {
			return errors.New("want NAME=COMMAND")
		}
		c.engines = append(c.engines, engine{name: name, command: strings.Fields(command), asked: true})
		return nil
	})
	f.IntVar(&c.rounds, "rounds", 3, "rounds in which the engines take turns")
	f.Int64Var(&c.records, "records", 0, "records of each workload (default each one's own number)")
	f.StringVar(&guarantee, "guarantee", string(contract.ExactlyOnce), "eos, alos or amos")
	f.IntVar(&commitMS, "commit-ms", 100, "commit interval in `MS`; 0: adaptive")
	f.IntVar(&c.cacheMB, "cache-mb", 0, "0: an output for every update; more: per key and commit")
	f.IntVar(&c.workers, "workers", 1, "workers of an engine")
	f.StringVar(&c.cpus, "cpus", defaultCPUs(), "cores for engines, as for taskset -c; empty: not pinned")
	f.DurationVar(&c.deadline, "deadline", 3*time.Minute, "longest time for one run of one engine")
	f.StringVar(&c.dir, "dir", os.TempDir(), "`DIR` for the engines' state")
	f.StringVar(&c.results, "results", filepath.Join("bench", "results"), "`DIR` for the table as a file; empty: only print it")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	c.brokers = strings.FieldsFunc(brokers, func(r rune) bool { return r == ',' })
	c.mode, c.guarantee, c.commit = mode(mode_), contract.Guarantee(guarantee), time.Duration(commitMS)*time.Millisecond

	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if f.NArg() > 0 {
		bad("unexpected argument %q", f.Arg(0))
	}
	if len(c.brokers) == 0 {
		bad("-brokers is missing: name a broker, or use make bench, which starts one")
	}
	if _, ok := defaults[c.mode]; !ok {
		bad("-mode %q is not known: want throughput, restart or restore", mode_)
	}
	if !slices.Contains([]contract.Guarantee{contract.ExactlyOnce, contract.AtLeastOnce, contract.AtMostOnce}, c.guarantee) {
		bad("-guarantee %q is not known: want eos, alos or amos", guarantee)
	}
	if c.mode != throughput && c.guarantee != contract.ExactlyOnce {
		bad("-mode %s checks that nothing is repeated: want -guarantee eos", c.mode)
	}
	if c.rounds < 1 || c.records < 0 || commitMS < 0 || c.cacheMB < 0 || c.workers < 1 || c.deadline <= 0 {
		bad("-rounds, -workers and -deadline want at least 1, -records, -commit-ms and -cache-mb at least 0")
	}
	if c.cpus != "" {
		if _, err := exec.LookPath("taskset"); err != nil {
			bad("-cpus %s: %w: install it, or give -cpus ''", c.cpus, err)
		}
	}
	if workloads == "" {
		workloads = defaults[c.mode]
	}
	for name := range strings.SplitSeq(workloads, ",") {
		w, err := workload.Named(name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case c.mode != throughput && !w.Logged:
			bad("-mode %s is about state: %s has none", c.mode, name)
		default:
			c.workloads = append(c.workloads, w)
		}
	}
	if c.records == 0 && c.mode == restore {
		c.records = restoreRecords
	}
	if c.engines == nil {
		for _, e := range [][2]string{{"millrace", "engine"}, {"b0", "b0"}, {"h", "h"}} {
			c.engines = append(c.engines, engine{name: e[0], command: []string{filepath.Join(bin, e[1])}})
		}
	}
	return c, errors.Join(errs...)
}

// entrants returns the engines that take part in a workload. The ceilings know few workloads, and they are dynamic members
// of their group: after a kill -9 they wait for the session timeout, so they are restarted only if asked for.
func (c config) entrants(w workload.Workload) []engine {
	var es []engine
	for _, e := range c.engines {
		ceiling := slices.ContainsFunc(workload.All(), func(w workload.Workload) bool { return w.Ceiling == e.name })
		if ceiling && (e.name != w.Ceiling || c.mode == restart && !e.asked) {
			continue
		}
		es = append(es, e)
	}
	return es
}

// size returns how many records a workload's stream has.
func (c config) size(w workload.Workload) int64 {
	if c.records > 0 {
		return c.records
	}
	return w.Records
}

// defaultCPUs is the last core where there are several and taskset can pin to it.
func defaultCPUs() string {
	if _, err := exec.LookPath("taskset"); err != nil || measure.Cores() < 2 {
		return ""
	}
	return strconv.Itoa(measure.Cores() - 1)
}

// executableDir is where this program lies; the others are built beside it.
func executableDir() string {
	path, err := os.Executable()
	if err != nil {
		return "bin"
	}
	return filepath.Dir(path)
}
