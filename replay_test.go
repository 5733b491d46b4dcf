package millrace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

// A broker that crashed with a transaction open may decide that it is aborted without writing a marker. The changelog then ends in
// records that no read_committed reader ever sees, and nothing behind them: a restore must find its end all the same.
func TestRestoreEndsBehindAbortedRecordsWithoutAMarker(t *testing.T) {
	dir := t.TempDir()
	before := worldOn(t, kfake.DataDir(filepath.Join(dir, "a")))
	before.create(1, "in", "out")
	before.send(record("k", "v"), record("k", "v"))
	c := before.config()
	_, end := before.run(countTo("out"), c)
	before.awaitCount("k", 2)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	open := before.client(kgo.TransactionalID("left open"))
	if err := open.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := open.ProduceSync(t.Context(), &kgo.Record{Topic: "app-counts-changelog", Key: []byte("k"), Value: make([]byte, 8)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	// The crash: what is on disk at this moment.
	if err := os.CopyFS(filepath.Join(dir, "b"), os.DirFS(filepath.Join(dir, "a"))); err != nil {
		t.Fatal(err)
	}
	after := worldOn(t, kfake.DataDir(filepath.Join(dir, "b")))
	c = after.config() // another directory: everything is restored
	after.send(record("k", "v"))
	app, end := after.run(countTo("out"), c)
	after.running(app)
	after.awaitCount("k", 3)
	if err := end(); err != nil {
		t.Error(err)
	}
}

// worldOn is a world with options.
func worldOn(t *testing.T, opts ...kfake.Opt) *world {
	t.Helper()
	w := &world{t: t, kafka: testkafka.Fake(t, opts...)}
	w.brokers = w.kafka.ListenAddrs()
	w.cl = w.client()
	w.adm = kadm.NewClient(w.cl)
	return w
}
