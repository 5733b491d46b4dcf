package contract

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
)

// ReportEnv names the environment variable with which a harness asks an engine for facts that cannot be seen from
// outside. When it is "1" the engine prints lines of a name and a number to standard output; otherwise nothing.
const ReportEnv = "MILLRACE_BENCH_REPORT"

// The facts an engine reports.
const (
	Mallocs  = "mallocs"       // objects allocated from start to end of the process
	Replayed = "replayed"      // changelog records read to bring the state up to date; several lines add up
	Commit99 = "commit-p99-us" // 99 in 100 commits took at most so many microseconds, from the last record until broker and stores have it
	Store99  = "store-p99-us"  // and the stores so many of them
)

// Report prints a fact, if the harness asked for facts.
func Report(fact string, n int64) {
	if os.Getenv(ReportEnv) == "1" {
		fmt.Printf("%s %d\n", fact, n)
	}
}

// Main runs an engine and exits: 0 when run returned nil after SIGTERM (or SIGINT) ended its context, 1 when it failed,
// 2 when the command line is wrong. run must return only then; one that returns earlier has failed.
func Main(name string, workloads []string, extra func(*flag.FlagSet), run func(context.Context, Options) error) {
	o, err := Parse(name, os.Args[1:], workloads, extra)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err = profiled(o, func() error { return run(ctx, o) })
	switch {
	case err == nil && ctx.Err() == nil:
		err = errors.New("ended without being told to")
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = nil // told to stop while it was still opening
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	Report(Mallocs, int64(m.Mallocs))
}

// profiled calls run under the profiles asked for.
func profiled(o Options, run func() error) error {
	if o.CPUProfile != "" {
		f, err := os.Create(o.CPUProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(); err != nil || o.MemProfile == "" {
		return err
	}
	f, err := os.Create(o.MemProfile)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
