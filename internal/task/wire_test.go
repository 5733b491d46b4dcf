package task

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

func quiet(string, ...any) {}

// bench returns a Config of the workshop over one database.
func bench(t testing.TB) Config {
	db := newFlaky(t, "rows", "copies", "private")
	return Config{
		Sub:    workshop{say: quiet}.sub(),
		Inputs: []TP{{Topic: "a"}},
		DB:     func(*decl.Store) store.DB { return db },
		Send:   func(*record.Out) {},
		Now:    func() time.Time { return start },
	}
}

func TestWhatCannotBeWiredIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *Config)
		want   string
	}{
		"input without source":    {func(c *Config) { c.Inputs = []TP{{Topic: "x"}} }, `no source reads topic "x"`},
		"part of a name matches":  {func(c *Config) { c.Inputs = []TP{{Topic: "b12-old"}} }, `no source reads topic "b12-old"`},
		"input given twice":       {func(c *Config) { c.Inputs = []TP{{Topic: "a"}, {Topic: "a"}} }, "input a/0 is given twice"},
		"no database":             {func(c *Config) { c.DB = nil }, `no database for store "rows" (work.go:1)`},
		"no clock":                {func(c *Config) { c.Now = nil }, "needs Sub, Send and Now"},
		"policy of another type":  {func(c *Config) { c.Sub.Nodes[workIndex].Policy = 7 }, "node work (work.go:30) has an error policy of type int"},
		"two sources of one name": {func(c *Config) { c.Sub.Sources[1].Topics[0].Name = "a" }, `topic "a" is read by source-a (work.go:10) and by source-b (work.go:10)`},
		"pattern":                 {func(c *Config) { c.Sub.Sources[1].Topics[1].Pattern = "(" }, "pattern of source source-b (work.go:10)"},
		"nothing to wire":         {func(c *Config) { c.Sub.Nodes[workIndex].Wire = nil }, "node work (work.go:30) has neither Wire nor Source"},
		"store not declared":      {func(c *Config) { c.Sub.Stores = c.Sub.Stores[1:] }, `setting up work (work.go:30): store "rows" (work.go:1) is not connected`},
		"no way to fan out":       {func(c *Config) { c.Sub.Nodes[workIndex].Fan = nil }, "node work (work.go:30) has 2 children and no way to fan out"},
		"child elsewhere":         {func(c *Config) { c.Sub.Nodes = c.Sub.Nodes[:sinkIndex] }, "node mirror (work.go:40) sends to sink (work.go:50), which is not behind it"},
		"nil dereference":         {func(c *Config) { c.Sub.Nodes[workIndex].Wire = func(graph.Env, any) any { return *nowhere() } }, "setting up work (work.go:30): panic: runtime error: invalid memory address"},
	} {
		config := bench(t)
		c.change(&config)
		_, err := New(config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: New gives %v, want %q in it", name, err, c.want)
		}
	}
}

const workIndex, sinkIndex = 2, 4

func TestEachNodeIsWiredOnceChildrenFirst(t *testing.T) {
	c := bench(t)
	var wired []string
	for _, n := range c.Sub.Nodes {
		if wire := n.Wire; wire != nil {
			n.Wire = func(env graph.Env, down any) any {
				wired = append(wired, n.Name)
				return wire(env, down)
			}
		}
	}
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	if got := strings.Join(wired, " "); got != "sink mirror work" {
		t.Errorf("wired %s, want each once and what is downstream first", got)
	}
}

func TestATopicReadByNameIsNotGivenToAPattern(t *testing.T) {
	c := bench(t)
	c.Sub.Sources[1].Topics[1].Pattern = ".*"
	c.Inputs = []TP{{Topic: "a"}, {Topic: "b"}, {Topic: "b1"}, {Topic: "elsewhere", Partition: 3}}
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	var got []string
	for _, in := range task.inputs {
		got = append(got, in.node.Name)
	}
	if want := "source-a source-b source-b source-b"; strings.Join(got, " ") != want {
		t.Errorf("sources are %v, want %s", got, want)
	}
}

func TestARepartitionTopicIsFoundByItsFullName(t *testing.T) {
	c := bench(t)
	c.ApplicationID = "app"
	c.Sub.Sources[0].Topics = []*graph.Topic{{Name: "by-word", Repartition: true}}
	c.Inputs = []TP{{Topic: "app-by-word-repartition"}}
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	task.Close()
}

func TestAStoreThatOutlivesItsTaskRefusesEverything(t *testing.T) {
	c := bench(t)
	db := c.DB(nil).(*flaky)
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	handle := env{task}.DB(c.Sub.Stores[0])
	key := append([]byte(string(handle.Prefix("rows"))), 'k')
	_, _, before := handle.Get(key)
	task.Close()
	it := handle.Range(nil, nil, false)
	if it.Next() {
		t.Error("Range still walks")
	}
	_, _, get := handle.Get(key)
	for name, err := range map[string]error{"Get": get, "Set": handle.Set(key, key), "Delete": handle.Delete(key), "Range": it.Close()} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close gives %v, want store.ErrClosed", name, err)
		}
	}
	if before != nil || db.Wrote() {
		t.Errorf("before Close: %v; rows written after it: %v", before, db.Wrote())
	}
}

func TestAnEngineThatFailsBreaksTheTaskWhateverIsDoneWithTheError(t *testing.T) {
	for name, op := range map[string]func(db store.DB, key []byte){
		"Get":    func(db store.DB, key []byte) { _, _, _ = db.Get(key) },
		"Set":    func(db store.DB, key []byte) { _ = db.Set(key, key) },
		"Delete": func(db store.DB, key []byte) { _ = db.Delete(key) },
		"Range":  func(db store.DB, key []byte) { _ = db.Range(key, nil, false).Close() },
	} {
		c := bench(t)
		db := c.DB(nil).(*flaky)
		task, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		handle := env{task}.DB(c.Sub.Stores[0])
		db.broken = errors.New("disk on fire")
		task.stage = running
		op(handle, append([]byte(string(handle.Prefix("rows"))), 'k'))
		if _, err := task.Process(1); !errors.Is(err, db.broken) {
			t.Errorf("after %s, Process gives %v, want the engine's error", name, err)
		}
		task.Close()
	}
}

func TestPanicsCarryTheirErrorAndTheStack(t *testing.T) {
	c := bench(t)
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	tp := c.Inputs[0]
	task.Resume(tp, 7, "")
	task.Add(tp, []record.In{{Key: []byte("k"), Value: []byte("panic-error"), Offset: 7}}, 8)
	_, err = task.Process(1)
	var e *topology.RecordError
	if !errors.As(err, &e) || e.Node != "work" || e.At != "work.go:30" || e.Position != (topology.Position{Topic: "a", Offset: 7}) ||
		string(e.Key) != "k" || string(e.Value) != "panic-error" {
		t.Fatalf("Process gives %#v", err)
	}
	if !errors.Is(err, errCoffee) {
		t.Errorf("errors.Is does not find what was thrown in %v", err)
	}
	var p *topology.PanicError
	if !errors.As(err, &p) {
		t.Fatalf("no PanicError in %v", err)
	}
	first, _, _ := strings.Cut(p.Stack, "\n")
	if !strings.Contains(first, "(*worker).word") {
		t.Errorf("the stack begins with %q, want the function that panicked", first)
	}
	if !strings.Contains(err.Error(), "work_test.go:") {
		t.Errorf("the error's text has no stack: %v", err)
	}
}

func TestAnUnknownPartitionIsAnErrorOfTheCaller(t *testing.T) {
	c := bench(t)
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	defer func() {
		if p := recover(); p != "task: a/1 is not an input of task 0_0" {
			t.Errorf("Add panics with %v", p)
		}
	}()
	task.Add(TP{Topic: "a", Partition: 1}, nil, 0)
}

func TestAFailureWhileOutputsLeaveIsFatal(t *testing.T) {
	c := bench(t)
	c.Policy = func(*topology.RecordError) topology.Action { return topology.Skip() }
	c.Send = func(o *record.Out) {
		if string(o.Value) == "2" {
			panic("no producer")
		}
	}
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	task.Resume(c.Inputs[0], 0, "")
	task.Add(c.Inputs[0], []record.In{{Key: []byte("k"), Value: []byte("out 1; out 2")}}, 1)
	if _, err := task.Process(1); err == nil {
		t.Error("the record was skipped, although one of its outputs is out already")
	}
}

func TestAnOnCloseFunctionThatPanicsDoesNotKeepTheOthersFromRunning(t *testing.T) {
	c := bench(t)
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, name := range []string{"first", "second"} {
		env{task}.OnClose(func() {
			order = append(order, name)
			panic(name)
		})
	}
	task.Close()
	if got := strings.Join(order, " "); got != "second first" {
		t.Errorf("ran %q, want the last one first, and both", got)
	}
	if task.ctx.Err() == nil {
		t.Error("the task's context has not ended")
	}
}

func TestProcessedRecordsAreLetGo(t *testing.T) {
	c := bench(t)
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	tp := c.Inputs[0]
	task.Resume(tp, 0, "")
	fill := func(n int) {
		from := task.input(tp).next
		recs := make([]record.In, n)
		for i := range recs {
			recs[i] = record.In{Key: []byte("k"), Value: []byte("x"), Offset: from + int64(i)}
		}
		task.Add(tp, recs, from+int64(n))
	}
	check := func(when string) {
		t.Helper()
		in := task.input(tp)
		for i, r := range in.recs[:cap(in.recs)] {
			if (i < in.head || i >= len(in.recs)) && r.Value != nil {
				t.Errorf("%s: the bytes of record %d are still held", when, r.Offset)
			}
		}
	}
	fill(32)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"processed", func() { _, _ = task.Process(20) }},
		{"moved down", func() { fill(8) }},
		{"emptied", func() { _, _ = task.Process(100) }},
		{"dropped", func() { fill(8); task.Resume(tp, task.input(tp).next, "") }},
	} {
		step.do()
		check(step.name)
	}
}

// nowhere is a pointer that nothing is behind.
func nowhere() *int { return nil }
