package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/measure"
	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// A report gathers outcomes and writes the table.
type report struct {
	config
	at       time.Time
	revision string // this program was built from
	machine  string
	broker   string
	cores    string
	outcomes []outcome
}

func newReport(ctx context.Context, h *harness) *report {
	engines, own := "not pinned", measure.Allowed()
	if h.cpus != "" {
		engines = "core " + h.cpus
	}
	return &report{
		config: h.config, at: time.Now().UTC(), revision: revision(ctx), machine: measure.Machine(),
		broker: h.broker.Version(ctx), cores: fmt.Sprintf("engines %s, this program core %s", engines, own),
	}
}

func (r *report) add(o outcome) { r.outcomes = append(r.outcomes, o) }

// failure is an error if a run failed, or if none was made.
func (r *report) failure() error {
	failed := 0
	for _, o := range r.outcomes {
		if o.err != nil {
			failed++
		}
	}
	switch {
	case len(r.outcomes) == 0:
		return errors.New("nothing was measured: no engine takes part in these workloads")
	case failed > 0:
		return fmt.Errorf("%d of %d runs failed", failed, len(r.outcomes))
	}
	return nil
}

// publish prints the report, and writes it to a file of its own in dir, unless that is "".
func (r *report) publish(out io.Writer, dir string) error {
	text := r.String()
	if _, err := io.WriteString(out, text); err != nil || dir == "" {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := r.at.Format("2006-01-02-1504") + "-" + string(r.mode) + ".txt"
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// String is the whole report.
func (r *report) String() string {
	var b strings.Builder
	adaptive := ""
	if r.commit == 0 {
		adaptive = " (adaptive)"
	}
	fmt.Fprintf(&b, "Millrace benchmark: %s\n\n", r.mode)
	fmt.Fprintf(&b, "date      %s\n", r.at.Format("2006-01-02 15:04 UTC"))
	fmt.Fprintf(&b, "commit    %s\n", r.revision)
	fmt.Fprintf(&b, "machine   %s, %s\n", r.machine, runtime.Version())
	fmt.Fprintf(&b, "broker    Kafka %s\n", r.broker)
	fmt.Fprintf(&b, "cores     %s\n", r.cores)
	fmt.Fprintf(&b, "setting   %s, commit %d ms%s, cache %d MB, %d worker(s), %d partitions, replication 1, no compression\n",
		r.guarantee, r.commit.Milliseconds(), adaptive, r.cacheMB, r.workers, workload.Partitions)
	fmt.Fprintf(&b, "figures   median (minimum-maximum) of the rounds; every output was read read_committed and compared in full\n\n")
	r.table(&b)
	for _, o := range r.outcomes {
		if o.err != nil {
			fmt.Fprintf(&b, "\n%s", o)
		}
	}
	if r.failure() != nil && len(r.outcomes) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

func (r *report) table(out io.Writer) {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cols := columns[r.mode]
	fmt.Fprint(tw, "workload\trecords\tengine\trounds")
	for _, c := range cols {
		fmt.Fprintf(tw, "\t%s", strings.TrimSpace(string(c)))
	}
	fmt.Fprintln(tw)
	for _, w := range r.workloads {
		for _, e := range r.entrants(w) {
			good := 0
			series := map[metric][]float64{}
			for _, o := range r.outcomes {
				if o.workload != w.Name || o.engine != e.name || o.err != nil {
					continue
				}
				good++
				for m, v := range o.values {
					series[m] = append(series[m], v)
				}
				if x, ok := r.ceilingRatio(w, o); ok {
					series[ratio] = append(series[ratio], x)
				}
			}
			fmt.Fprintf(tw, "%s\t%d\t%s\t%d", w.Name, r.size(w), e.name, good)
			for _, c := range cols {
				fmt.Fprintf(tw, "\t%s", measure.Of(series[c]).Format(decimals[c]))
			}
			fmt.Fprintln(tw)
		}
	}
	tw.Flush()
}

// ceilingRatio compares a run with that of the ceiling in the same round, which shared its minute of the machine.
func (r *report) ceilingRatio(w workload.Workload, o outcome) (float64, bool) {
	if w.Ceiling == "" || o.engine == w.Ceiling || o.values[perCPU] == 0 {
		return 0, false
	}
	for _, c := range r.outcomes {
		if c.workload == o.workload && c.engine == w.Ceiling && c.round == o.round && c.err == nil {
			return o.values[perCPU] / c.values[perCPU], true
		}
	}
	return 0, false
}
