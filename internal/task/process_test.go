package task

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// pass is a subtopology that hands each record of a topic to f.
func pass(topic string, f func(m *record.Meta, in *record.In), send bool) *graph.Sub {
	n := &graph.Node{Name: "source", At: "pass.go:1", Topics: []*graph.Topic{{Name: topic}}}
	n.Source = &graph.Source{Wire: func(env graph.Env, _ any) func(*record.Meta, *record.In) {
		out := &record.Out{Topic: "out"}
		return func(m *record.Meta, in *record.In) {
			f(m, in)
			if send {
				out.Key, out.Value, out.Headers, out.Time = in.Key, in.Value, m.Headers, m.Time
				env.Send(out)
			}
		}
	}}
	return &graph.Sub{Nodes: []*graph.Node{n}, Sources: []*graph.Node{n}}
}

func TestARecordCostsNoAllocationAndNoClock(t *testing.T) {
	for name, policy := range map[string]topology.ErrorPolicy{
		"plain": nil, "under savepoints": func(*topology.RecordError) topology.Action { return topology.Skip() },
	} {
		t.Run(name, func(t *testing.T) {
			clocks, sent, now := 0, 0, start
			task, err := New(Config{
				Sub: pass("a", func(*record.Meta, *record.In) {}, true), Inputs: []TP{{"a", 0}, {"a", 1}},
				Send: func(*record.Out) { sent++ }, Policy: policy, MaxIdle: time.Second,
				Now: func() time.Time { clocks++; return now },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer task.Close()
			batch := make([]record.In, 100)
			for i := range batch {
				batch[i] = record.In{Key: []byte("k"), Value: []byte("v"), Time: int64(i), Headers: []record.Header{{Key: "h"}}}
			}
			next := int64(0)
			for _, tp := range task.c.Inputs {
				task.Resume(tp, 0, "")
			}
			round := func() {
				for i := range batch {
					batch[i].Offset = next + int64(i)
				}
				next += int64(len(batch))
				for _, tp := range task.c.Inputs {
					task.Add(tp, batch, next)
				}
				n, err := task.Process(2*len(batch) - 1) // one stays, so that neither input waits for the other
				if err != nil || n != 2*len(batch)-1 {
					t.Fatalf("Process gives %d, %v", n, err)
				}
				for _, tp := range task.c.Inputs {
					task.SetEnd(tp, next)
				}
				if n, err := task.Process(10); err != nil || n != 0 { // the idle time begins
					t.Fatalf("Process gives %d, %v", n, err)
				}
				now = now.Add(time.Second)
				if n, err := task.Process(10); err != nil || n != 1 {
					t.Fatalf("Process gives %d, %v", n, err)
				}
				task.Committed()
			}
			round() // makes the buffers
			clocks, sent = 0, 0
			if got := testing.AllocsPerRun(20, round); got != 0 {
				t.Errorf("%v allocations for 200 records", got)
			}
			if sent != 21*200 {
				t.Errorf("%d outputs, want %d", sent, 21*200)
			}
			if clocks > 21*3 {
				t.Errorf("%d readings of the clock in 21 rounds of 3 calls", clocks)
			}
		})
	}
}

func TestWithoutAPolicyNothingIsHeldBack(t *testing.T) {
	c := bench(t)
	db := c.DB(nil).(*flaky)
	var sent []string
	c.Send = func(o *record.Out) { sent = append(sent, string(o.Value)) }
	task, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer task.Close()
	tp := c.Inputs[0]
	task.Resume(tp, 0, "")
	task.Add(tp, []record.In{{Key: []byte("k"), Value: []byte("out 1; put x=1; fail")}}, 1)
	if _, err := task.Process(1); err == nil {
		t.Fatal("the record did not fail")
	}
	if len(sent) != 1 || db.marks != 0 {
		t.Errorf("sent %v with %d savepoints, want the output to go directly and no savepoint", sent, db.marks)
	}
}

// The order of records is that of a plain search for the smallest head, whatever arrives when.
func TestOrderEqualsAPlainSearch(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		var got []string
		c := Config{
			Sub:  pass("a", func(m *record.Meta, in *record.In) { got = append(got, string(in.Value)) }, false),
			Send: func(*record.Out) {}, Now: time.Now, MaxIdle: -1,
		}
		inputs := 1 + r.IntN(9)
		for p := range inputs {
			c.Inputs = append(c.Inputs, TP{"a", int32(p)})
		}
		task, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, tp := range c.Inputs {
			task.Resume(tp, 0, "")
		}
		type item struct {
			at   int64
			name string
		}
		buffers := make([][]item, inputs)
		next := make([]int64, inputs)
		var want []string
		for range 200 {
			switch p := r.IntN(inputs); r.IntN(5) {
			case 0, 1:
				var recs []record.In
				for range r.IntN(7) {
					offset := next[p] + int64(r.IntN(2))
					next[p] = offset + 1
					at := int64(r.IntN(20))
					name := fmt.Sprint(p, "@", offset)
					recs = append(recs, record.In{Value: []byte(name), Time: at, Offset: offset})
					buffers[p] = append(buffers[p], item{at, name})
				}
				task.Add(c.Inputs[p], recs, next[p])
			case 2, 3:
				n := r.IntN(9)
				if _, err := task.Process(n); err != nil {
					t.Fatal(err)
				}
				for range n {
					heads := []int{}
					for q := range buffers {
						if len(buffers[q]) > 0 {
							heads = append(heads, q)
						}
					}
					if len(heads) == 0 {
						break
					}
					q := slices.MinFunc(heads, func(a, b int) int {
						return cmp.Or(cmp.Compare(buffers[a][0].at, buffers[b][0].at), cmp.Compare(a, b))
					})
					want = append(want, buffers[q][0].name)
					buffers[q] = buffers[q][1:]
				}
			default:
				if r.IntN(4) == 0 { // records of one input are fetched again
					buffers[p] = nil
					task.Resume(c.Inputs[p], next[p], "")
				}
			}
			for q, tp := range c.Inputs {
				if n, bytes := task.Buffered(tp); n != len(buffers[q]) || (n == 0) != (bytes == 0) {
					t.Fatalf("seed %d: %v has %d records and %d bytes, want %d records", seed, tp, n, bytes, len(buffers[q]))
				}
			}
			if len(task.fresh)+len(task.heads)+task.empty != inputs {
				t.Fatalf("seed %d: %d fresh, %d heads, %d empty of %d inputs", seed, len(task.fresh), len(task.heads), task.empty, inputs)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
		task.Close()
	}
}

func BenchmarkProcess(b *testing.B) {
	task, err := New(Config{
		Sub: pass("a", func(*record.Meta, *record.In) {}, true), Inputs: []TP{{"a", 0}},
		Send: func(*record.Out) {}, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer task.Close()
	batch := make([]record.In, 100)
	for i := range batch {
		batch[i] = record.In{Key: []byte("key"), Value: []byte("value"), Time: int64(i)}
	}
	task.Resume(TP{"a", 0}, 0, "")
	next := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			batch[i].Offset = next
			next++
		}
		task.Add(TP{"a", 0}, batch, next)
		if n, err := task.Process(len(batch)); n != len(batch) || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/record")
}
