package millrace_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// lookedUp joins the records of topic in with a global table of topic rows, by their values.
func lookedUp(opts ...store.Option) *topology.Topology {
	b := topology.NewBuilder()
	text := topology.NewTopic("in", serde.String, serde.String)
	g := ktable.GlobalFrom(b, text.Named("rows"), "rows", opts...)
	kstream.From(b, text).LeftJoinGlobal(g, func(_, v string) (string, bool) { return v, true }, func(v, row string, ok bool) string {
		if !ok {
			return v + "=?"
		}
		return v + "=" + row
	}).To(text.Named("out"))
	return topology.Must(b.Build())
}

// restores collects what was restored.
type restores struct {
	mu   sync.Mutex
	done []millrace.RestoreInfo
}

func (r *restores) events() *millrace.Events {
	return &millrace.Events{Restoring: func(i millrace.RestoreInfo) {
		if i.Done {
			r.mu.Lock()
			r.done = append(r.done, i)
			r.mu.Unlock()
		}
	}}
}

// of returns what was restored of a store since the last call.
func (r *restores) of(name string) (records int64, wiped []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.done {
		if i.Store == name {
			records += i.Records
			if i.Wiped != "" {
				wiped = append(wiped, i.Wiped)
			}
		}
	}
	r.done = nil
	return records, wiped
}

// values returns the values of the first n records of a topic, sorted.
func (w *world) values(topic string, n int) []string {
	w.t.Helper()
	var all []string
	for _, r := range w.read(topic, n) {
		all = append(all, string(r.Value))
	}
	slices.Sort(all)
	return all
}

// TestAGlobalTableIsCompleteBeforeTheFirstTask, holds all partitions, and follows its topic; what is on disk is not read again.
func TestAGlobalTableIsCompleteBeforeTheFirstTask(t *testing.T) {
	for _, opts := range [][]store.Option{nil, {store.InMemory()}} {
		w := newWorld(t, "in", "out")
		w.create(3, "rows")
		for i := range 30 {
			w.send(&kgo.Record{Topic: "rows", Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, "v", i)})
		}
		w.send(&kgo.Record{Topic: "rows", Key: []byte("k3")}, &kgo.Record{Topic: "rows", Value: []byte("no key")})
		for i := range 30 {
			w.send(record("x", fmt.Sprint("k", i)))
		}
		c := w.config()
		var seen restores
		c.Events = seen.events()
		app, end := w.run(lookedUp(opts...), c)
		w.running(app)
		var want []string
		for i := range 30 {
			want = append(want, fmt.Sprintf("k%d=v%d", i, i))
		}
		want[3] = "k3=?"
		slices.Sort(want)
		if got := w.values("out", 30); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if n, _ := seen.of("rows"); n != 32 {
			t.Errorf("restored %d records, want 32", n)
		}
		w.send(&kgo.Record{Topic: "rows", Key: []byte("k3"), Value: []byte("back")})
		w.followed("k3", "k3=back")
		if err := end(); err != nil {
			t.Fatal(err)
		}

		w.send(&kgo.Record{Topic: "rows", Key: []byte("late"), Value: []byte("one")})
		_, end = w.run(lookedUp(opts...), c)
		w.followed("late", "late=one")
		w.followed("k7", "k7=v7")
		if n, _ := seen.of("rows"); len(opts) == 0 && n != 1 {
			t.Errorf("after a restart %d records were read again, want the new one", n)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if n := w.partitionsOf("app-rows-changelog"); n != 0 {
			t.Errorf("a changelog was made, with %d partitions", n)
		}
	}
}

// partitionsOf returns the number of partitions of a topic, 0 if there is none.
func (w *world) partitionsOf(topic string) int {
	w.t.Helper()
	found, err := w.adm.ListTopics(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found[topic].Partitions)
}

// followed looks a row up again and again until the answer is there: a global table follows in its own time.
func (w *world) followed(key, want string) {
	w.t.Helper()
	cl := w.client(kgo.ConsumeTopics("out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		w.send(record("x", key))
		fs := cl.PollFetches(w.t.Context())
		for _, r := range fs.Records() {
			if string(r.Value) == want {
				return
			}
		}
	}
	w.t.Fatalf("%s never came", want)
}

// TestAGlobalTableMadeAnewIsReadFromTheStart: rows of a topic that was deleted do not stay.
func TestAGlobalTableMadeAnewIsReadFromTheStart(t *testing.T) {
	w := newWorld(t, "in", "out", "rows")
	w.send(&kgo.Record{Topic: "rows", Key: []byte("old"), Value: []byte("1")}, &kgo.Record{Topic: "rows", Key: []byte("both"), Value: []byte("1")})
	c := w.config()
	app, end := w.run(lookedUp(), c)
	w.running(app)
	w.followed("old", "old=1")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.adm.DeleteTopics(t.Context(), "rows"); err != nil {
		t.Fatal(err)
	}
	w.create(1, "rows")
	w.cl = w.client() // the other one asks for the topic there was
	w.send(&kgo.Record{Topic: "rows", Key: []byte("both"), Value: []byte("2")})
	_, end = w.run(lookedUp(), c)
	w.followed("both", "both=2")
	w.followed("old", "old=?")
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func TestAGlobalTableWithoutATopicIsNamedWithItsLine(t *testing.T) {
	w := newWorld(t, "in", "out")
	err := w.fails(lookedUp(), w.config())
	var te *millrace.TopicError
	if !errors.As(err, &te) || te.Topic != "rows" || !strings.HasPrefix(te.At, "global_test.go:") {
		t.Fatalf("got %v", err)
	}
}

// TestABadRecordOfAGlobalTableEndsTheApp, unless the policy skips it.
func TestABadRecordOfAGlobalTableEndsTheApp(t *testing.T) {
	top := func() *topology.Topology {
		b := topology.NewBuilder()
		text := topology.NewTopic("in", serde.String, serde.String)
		g := ktable.GlobalFrom(b, topology.NewTopic("rows", serde.String, serde.Int64), "rows")
		kstream.From(b, text).JoinGlobal(g, func(_, v string) (string, bool) { return v, true }, func(v string, n int64) string { return fmt.Sprintf("%s=%d", v, n) }).To(text.Named("out"))
		return topology.Must(b.Build())
	}
	w := newWorld(t, "in", "out", "rows")
	w.send(&kgo.Record{Topic: "rows", Key: []byte("k"), Value: binary.BigEndian.AppendUint64(nil, 7)}, &kgo.Record{Topic: "rows", Key: []byte("k"), Value: []byte("seven")})
	var re *topology.RecordError
	if err := w.fails(top(), w.config()); !errors.As(err, &re) || re.Topic != "rows" || re.Node != "rows" {
		t.Errorf("got %v", err)
	}
	c := w.config()
	c.OnError = func(*topology.RecordError) topology.Action { return topology.Skip() }
	_, end := w.run(top(), c)
	w.followed("k", "k=7")
	if err := end(); err != nil {
		t.Error(err)
	}
}

// sourced joins the records of topic in with a table that is kept in its source topic.
func sourced() *topology.Topology {
	b := topology.NewBuilder()
	text := topology.NewTopic("in", serde.String, serde.String)
	rows := ktable.From(b, text.Named("rows"), "rows", store.SourceChangelog())
	kstream.From(b, text).LeftJoinTable(rows, func(v, row string, ok bool) string { return v + "=" + row }).To(text.Named("out"))
	return topology.Must(b.Build())
}

// TestATableIsRestoredFromItsSourceTopic as far as that was processed: a store on an empty disk has its rows back, and one that
// was closed in order reads nothing.
func TestATableIsRestoredFromItsSourceTopic(t *testing.T) {
	w := newWorld(t, "in", "out", "rows")
	for i := range 20 {
		w.send(&kgo.Record{Topic: "rows", Key: fmt.Append(nil, "k", i%10), Value: fmt.Append(nil, "v", i)}, &kgo.Record{Topic: "rows", Value: []byte("no key")})
	}
	c := w.config()
	var seen restores
	c.Events = seen.events()
	ask := func(k, want string) {
		t.Helper()
		cl := w.client(kgo.ConsumeTopics("out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		for deadline := time.Now().Add(30 * time.Second); ; {
			w.send(record(k, k))
			for _, r := range cl.PollFetches(t.Context()).Records() {
				if string(r.Value) == want {
					return
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s never came", want)
			}
		}
	}
	app, end := w.run(sourced(), c)
	w.running(app)
	ask("k7", "k7=v17")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if n := w.partitionsOf("app-rows-changelog"); n != 0 {
		t.Errorf("a changelog was made, with %d partitions", n)
	}
	if n, wiped := seen.of("rows"); n != 0 || wiped != nil {
		t.Errorf("the first run restored %d records, wiped %v", n, wiped)
	}

	app, end = w.run(sourced(), c) // the disk has all
	w.running(app)
	ask("k6", "k6=v16")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if n, wiped := seen.of("rows"); n != 0 || wiped != nil {
		t.Errorf("a restart restored %d records, wiped %v", n, wiped)
	}

	if err := os.RemoveAll(c.StateDir); err != nil {
		t.Fatal(err)
	}
	w.send(&kgo.Record{Topic: "rows", Key: []byte("k5"), Value: []byte("new")}) // not processed yet
	app, end = w.run(sourced(), c)
	w.running(app)
	ask("k4", "k4=v14")
	ask("k5", "k5=new")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if n, _ := seen.of("rows"); n != 20 {
		t.Errorf("an empty disk restored %d records, want the 20 with a key that were processed", n)
	}
	if _, err := os.Stat(filepath.Join(c.StateDir)); err != nil {
		t.Error(err)
	}
}
