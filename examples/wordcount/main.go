package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
)

// application is the id of the application: its consumer group, and the prefix of its topics.
const application = "wordcount"

type options struct {
	input, brokers, stateDir, guarantee, dump string
	instances, top                            int
	verbose                                   bool
}

func main() {
	if dir := os.Getenv(embeddedEnv); dir != "" {
		if err := beEmbedded(dir); err != nil {
			fmt.Fprintln(os.Stderr, "embedded Kafka:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.input, "input", "", "text to count: a file, a folder, or - for standard input (default: sources that come with Go)")
	flag.StringVar(&o.brokers, "brokers", "", "Kafka brokers, host:port,… (default: an embedded Kafka)")
	flag.StringVar(&o.stateDir, "state-dir", "", "where state is kept (default: a temporary directory)")
	flag.StringVar(&o.guarantee, "guarantee", "exactly-once", "exactly-once, at-least-once or at-most-once")
	flag.IntVar(&o.instances, "instances", 1, "how many instances of the application to run")
	flag.IntVar(&o.top, "top", 10, "how many of the most frequent words to print")
	flag.StringVar(&o.dump, "dump", "", "write all counts to a file: word, tab, count")
	flag.BoolVar(&o.verbose, "v", false, "log what the library does")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "wordcount:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	began := time.Now()
	guarantee, err := parseGuarantee(o.guarantee)
	if err != nil {
		return err
	}
	if o.instances < 1 {
		return fmt.Errorf("-instances %d: at least 1", o.instances)
	}
	if o.input == "" {
		if o.input, err = sources(); err != nil {
			return err
		}
	}
	if o.stateDir == "" {
		if o.stateDir, err = os.MkdirTemp("", "wordcount-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.stateDir) // after the embedded Kafka has closed
	}
	brokers := strings.Split(o.brokers, ",")
	if o.brokers == "" {
		var stop func() error
		if brokers, stop, err = startEmbedded(filepath.Join(o.stateDir, "kafka")); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelInfo
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))

	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := createTopics(ctx, adm); err != nil {
		return err
	}

	// The application: as many instances as asked for, each as if it were a process of its own.
	var commits, replayed atomic.Int64
	appCtx, stopApps := context.WithCancelCause(ctx)
	defer stopApps(nil)
	var apps sync.WaitGroup
	for range o.instances {
		top, err := build()
		if err != nil {
			return err
		}
		app, err := millrace.New(top, millrace.Config{
			ApplicationID: application,
			Brokers:       brokers,
			Guarantee:     guarantee,
			StateDir:      filepath.Join(o.stateDir, "state"),
			OnStop:        millrace.StopLeave,
			Logger:        logger,
			Events: &millrace.Events{
				Committed: func(millrace.CommitInfo) { commits.Add(1) },
				Restoring: func(r millrace.RestoreInfo) {
					if r.Done {
						replayed.Add(r.Records)
					}
				},
			},
		})
		if err != nil {
			return err
		}
		apps.Go(func() {
			if err := app.Run(appCtx); err != nil {
				stopApps(err)
			}
		})
	}

	fmt.Printf("counting the words of %s with %d instance(s), %v, on %s\n", o.input, o.instances, guarantee, where(o.brokers))
	var loaded atomic.Int64
	lines, err := load(appCtx, brokers, o.input, &loaded)
	if err == nil {
		last := time.Now()
		err = awaitCounted(appCtx, adm, func(done, all int64) {
			if time.Since(last) > time.Second {
				last = time.Now()
				fmt.Printf("  %d lines loaded, %d of %d records counted, %d commits\n", loaded.Load(), done, all, commits.Load())
			}
		})
	}
	stopApps(nil)
	apps.Wait()
	if cause := context.Cause(appCtx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	counts, err := readCounts(ctx, brokers)
	if err != nil {
		return fmt.Errorf("read %q back: %w", Counts.Name(), err)
	}
	if o.dump != "" {
		if err := dump(o.dump, counts); err != nil {
			return err
		}
	}
	summary(o, counts, lines, commits.Load(), replayed.Load(), seconds)
	return nil
}

func summary(o options, counts map[string]int64, lines, commits, replayed int64, seconds float64) {
	var total int64
	for _, n := range counts {
		total += n
	}
	fmt.Println()
	for _, word := range top(counts, o.top) {
		fmt.Printf("%10d  %s\n", counts[word], word)
	}
	fmt.Printf("\n%d lines, %d words, %d of them distinct\n", lines, total, len(counts))
	fmt.Printf("%d commits in %.1f s, %d records replayed at the start, %.1f MiB of state\n", commits, seconds, replayed, float64(size(filepath.Join(o.stateDir, "state")))/(1<<20))
}

func parseGuarantee(s string) (millrace.Guarantee, error) {
	for _, g := range []millrace.Guarantee{millrace.ExactlyOnce, millrace.AtLeastOnce, millrace.AtMostOnce} {
		if g.String() == s {
			return g, nil
		}
	}
	return 0, fmt.Errorf("-guarantee %q: want exactly-once, at-least-once or at-most-once", s)
}

func where(brokers string) string {
	if brokers == "" {
		return "an embedded Kafka"
	}
	return brokers
}

// size returns the bytes of all files below a directory.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
