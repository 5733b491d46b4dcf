// Command conformance runs recorded cases of Kafka Streams against Millrace.
//
//	conformance [-cases DIR] [-v]   conformance: P of N cases identical, and a line per case that is not
//	conformance -show NAME          one case in full: topology, steps, and what was recorded beside what is seen
//
// It ends with 1 when a case is not identical.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/millrace-streams/millrace/internal/conformance"
)

func main() {
	cases := flag.String("cases", "internal/conformance/testdata/cases", "folder of .jsonl files, one case per line")
	show := flag.String("show", "", "print the cases of this name, or with it in their name, in full")
	flag.Parse()
	ok, err := run(os.Stdout, *cases, *show)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run reports whether all cases are identical.
func run(w io.Writer, dir, show string) (bool, error) {
	cases, err := conformance.ReadDir(os.DirFS(dir))
	if err != nil {
		return false, err
	}
	if show != "" {
		return conformance.Show(w, cases, show)
	}
	return conformance.Report(w, cases), nil
}
