// Command kafka runs the broker behind `make kafka-up`: a real Apache Kafka on a fixed port, which stays until it is told
// to go.
//
//	kafka up      start it; print the line that names it to tests and examples
//	kafka down    stop it
//	kafka env     print that line again
//	kafka jars    fetch what tests of real brokers need, or say in one line why they will be left out
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

const usage = `usage: kafka [flags] up|down|env|jars

  up     start a broker that stays, and print the line that names it to tests and examples
  down   stop it; its data stays in the folder
  env    print that line again
  jars   fetch what tests of real brokers need

flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns the exit code: 1 if it failed, 2 if it was not understood. Only what a shell
// may evaluate goes to out.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("kafka", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() { fmt.Fprint(errs, usage); flags.PrintDefaults() }
	dir := flags.String("dir", ".kafka/broker", "folder for the broker's data, log and process id")
	port := flags.Int("port", 19092, "port of the broker; its controller takes the next one")
	heap := flags.String("heap", "1g", "memory of Java")
	version := flags.String("version", "", "jars: of Kafka, as 3.9; print it and the folder")
	fresh := flags.Bool("fresh", false, "up: begin with no topics")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return 2
	}
	var err error
	switch verb := flags.Arg(0); verb {
	case "up":
		err = up(ctx, testkafka.Options{Dir: *dir, Port: *port, Controller: *port + 1, Heap: *heap, LongRun: true}, *fresh, out, errs)
	case "down":
		if err = testkafka.Down(ctx, *dir); err == nil {
			fmt.Fprintln(errs, "stopped")
		} else if errors.Is(err, testkafka.ErrNotUp) {
			fmt.Fprintln(errs, "no broker is up")
			err = nil
		}
	case "env":
		var addr string
		if addr, err = testkafka.Running(*dir); err == nil {
			printEnv(out, addr)
		}
	case "jars":
		err = jars(ctx, flags, *version, out, errs)
	default:
		fmt.Fprintf(errs, "kafka: no command %q\n", verb)
		flags.Usage()
		return 2
	}
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	return 0
}

func up(ctx context.Context, opts testkafka.Options, fresh bool, out, errs io.Writer) error {
	kit, err := testkafka.FindKit(ctx)
	if err != nil {
		return err
	}
	if fresh {
		if err := testkafka.Down(ctx, opts.Dir); err != nil && !errors.Is(err, testkafka.ErrNotUp) {
			return err
		}
		if err := os.RemoveAll(filepath.Join(opts.Dir, "data")); err != nil {
			return fmt.Errorf("kafka: cannot begin afresh: %w", err)
		}
	}
	addr, started, err := testkafka.Up(ctx, kit, opts)
	if err != nil {
		return err
	}
	if started {
		fmt.Fprintf(errs, "Kafka is up on %s, with its log in %s\n", addr, filepath.Join(opts.Dir, "log"))
	} else {
		fmt.Fprintf(errs, "Kafka was up already on %s\n", addr)
	}
	printEnv(out, addr)
	return nil
}

func printEnv(out io.Writer, addr string) { fmt.Fprintf(out, "export KAFKA_BROKERS=%s\n", addr) }

// jars succeeds where tests will run, be left out, or need nothing. Asked for a version, also for that of no name, it
// needs the jars, and prints the version and the folder.
func jars(ctx context.Context, flags *flag.FlagSet, version string, out, errs io.Writer) error {
	asked := false
	flags.Visit(func(f *flag.Flag) { asked = asked || f.Name == "version" })
	if !asked && os.Getenv("KAFKA_BROKERS") != "" {
		return nil
	}
	kit, err := testkafka.FindKitOf(ctx, version)
	if err == nil && asked {
		fmt.Fprintf(out, "%s %s\n", kit.Version, kit.Libs)
	}
	if missing, ok := errors.AsType[*testkafka.Missing](err); ok && !asked && !testkafka.Required() {
		fmt.Fprintf(errs, "tests of a real Kafka are left out: %s\n", missing.Why)
		return nil
	}
	return err
}
