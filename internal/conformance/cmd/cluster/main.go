// Command cluster runs recordings of Kafka Streams on a real broker against Millrace on a real broker: those that KAFKA_BROKERS
// names, which must have the settings of cluster.Properties, else one of its own.
//
//	cluster [-cases DIR] [-parallel N]   cluster: P of N cases identical, and a line per case that is not
//	cluster -show NAME                   one case in full: what was recorded beside what is seen, and what the app says
//
// It ends with 1 when a case is not identical.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/millrace-streams/millrace/internal/conformance/cluster"
	"github.com/millrace-streams/millrace/internal/testkafka"
)

func main() {
	cases := flag.String("cases", "internal/conformance/cluster/testdata/cases", "folder of .jsonl files, one case per line")
	show := flag.String("show", "", "run the cases of this name, or with it in their name, and print them in full")
	parallel := flag.Int("parallel", 8, "cases at the same time")
	only := flag.String("way", "", "plain or takeover; empty: both")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx, os.Stdout, *cases, *show, *only, *parallel)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run reports whether all cases are identical.
func run(ctx context.Context, w io.Writer, dir, show, only string, parallel int) (ok bool, err error) {
	cases, err := cluster.ReadDir(os.DirFS(dir))
	if err != nil {
		return false, err
	}
	ways := cluster.Ways()
	switch way := cluster.Way(only); way {
	case "":
	case cluster.Plain, cluster.Takeover:
		ways = []cluster.Way{way}
	default:
		return false, fmt.Errorf("cluster: there is no way %q: want plain or takeover", only)
	}
	if show != "" {
		if cases = cluster.Named(cases, show); len(cases) == 0 {
			return false, fmt.Errorf("cluster: no case has %q in its name", show)
		}
	}
	brokers := strings.Split(os.Getenv("KAFKA_BROKERS"), ",")
	if brokers[0] == "" {
		kit, err := testkafka.FindKit(ctx)
		if err != nil {
			return false, err
		}
		broker, err := testkafka.Start(ctx, kit, testkafka.Options{Properties: cluster.Properties()})
		if err != nil {
			return false, err
		}
		defer func() {
			if e := broker.Close(); err == nil {
				err = e
			}
		}()
		brokers = []string{broker.Addr()}
	}
	runner := cluster.Runner{Brokers: brokers}
	if show == "" {
		return cluster.Report(w, runner.All(ctx, cases, ways, parallel)), nil
	}
	ok = true
	for _, c := range cases {
		for _, way := range ways {
			r := runner.Run(ctx, c, way, w)
			r.Show(w)
			ok = ok && r.OK()
		}
	}
	return ok, nil
}
