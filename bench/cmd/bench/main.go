// Command bench measures engines against a real broker: ours, the two ceilings, and any other program that answers to the
// contract of package contract.
//
//	     ┌ core 0 ────────────────────────────┐     ┌ core 1 ─────────────────┐
//	     │ broker ◄── preload ── bench        │     │ engine, one at a time   │
//	     │   │  └─── committed offsets ──►│   │ ◄── │ pinned with taskset     │
//	     │   └────── read_committed ──► check │     │ utime + stime, VmHWM    │
//	     └────────────────────────────────────┘     └─────────────────────────┘
//
//	bench -brokers localhost:9092                                 # every workload, our engine and its ceilings
//	bench -brokers localhost:9092 -mode restart                   # kill -9 under load, and a clean stop
//	bench -brokers localhost:9092 -workloads copy -engine "ks=java -jar ks.jar" -engine b0=bin/b0
//
// Engines take turns for some rounds; every output is read read_committed and compared in full with what is expected. A
// run with a wrong output is not a measurement: it is listed as failed, and the exit status is 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures as args say, prints the table to stdout and what it is doing to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parseConfig(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := newHarness(ctx, c, stderr)
	if err != nil {
		return err
	}
	defer h.close()
	rep := h.measure(ctx)
	return errors.Join(rep.publish(stdout, c.results), rep.failure())
}
