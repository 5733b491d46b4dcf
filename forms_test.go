package millrace_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// remembering keeps each record in a window store that keeps them for the given time, and sends how many windows it has.
func remembering(retention time.Duration) *topology.Topology {
	b := topology.NewBuilder()
	seen := store.NewWindow("seen", serde.String, serde.String, time.Second, retention)
	kstream.From(b, texts).Process("remember", func(t *topology.Task, out topology.Out[string, string]) topology.Handler[string, string] {
		rows := t.Window(seen)
		return func(_ context.Context, r topology.Record[string, string]) error {
			rows.Put(r.Key, r.Time, r.Value)
			n := 0
			for range rows.Fetch(r.Key, time.UnixMilli(0), r.Time) {
				n++
			}
			out.Send(r.Key, fmt.Sprint(n))
			return nil
		}
	}, seen).To(texts.Named("out"))
	return topology.Must(b.Build())
}

// How rows of windows are cut into segments follows the retention. A program that changes it must not look for the old rows
// where the new ones would be: they are restored.
func TestWindowsAreFoundAfterTheirRetentionChanged(t *testing.T) {
	w := newWorld(t, "in", "out")
	c := w.config()
	for run, retention := range []time.Duration{time.Hour, 5 * time.Hour, time.Hour} {
		app, end := w.run(remembering(retention), c)
		w.running(app)
		w.send(&kgo.Record{Topic: "in", Key: []byte("k"), Value: []byte("v"), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(run)*600_000)})
		if got := string(w.read("out", run+1)[run].Value); got != fmt.Sprint(run+1) {
			t.Errorf("run %d finds %s windows", run, got)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
}
