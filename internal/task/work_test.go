package task

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

const (
	sourceAID, sourceBID, workID, mirrorID, sinkID = 0, 1, 2, 3, 4
)

// A workshop makes the subtopology of the scenarios:
//
//	source-a ──┐                      ┌──► mirror (copies) ──┐ at commit
//	           ├──► work (rows, private)                      ├──► sink
//	source-b ──┘          └──────────────────────────────────┘
//
// work does what the value of a record says, words between semicolons:
//
//	out X          sends X                 put K=V, del K   writes to rows; private K=V to private
//	get K          sends the row           fail, panic, panic-error, fail-sink
//	commit         asks for a commit       where            says position, time and stream time
//	every D, wall D, stop                  starts a timer of stream or wall-clock time, stops the last one
//	swallow K=V    writes, and recovers from whatever comes of it
//	timer X        what the timers started from now on do
//
// A record of value "undecodable" cannot be decoded; one of value "timeless" has no event time, and that of "late" is one
// less than the time of its partition.
type workshop struct {
	say         func(string, ...any)
	near, topic topology.ErrorPolicy // of work and of the topics
	setup       string               // what work does when it is set up
}

func (shop workshop) sub() *graph.Sub {
	rows := &decl.Store{Name: "rows", At: "work.go:1"}
	copies := &decl.Store{Name: "copies", At: "work.go:2"}
	private := &decl.Store{Name: "private", At: "work.go:3", NoChangelog: true}

	sink := &graph.Node{ID: sinkID, Kind: "sink", Name: "sink", At: "work.go:50", Topics: []*graph.Topic{{Name: "out"}}}
	sink.Wire = func(env graph.Env, _ any) any {
		out := &record.Out{Topic: "out"}
		return func(m *record.Meta, k, v string) {
			m.Node = sinkID
			out.Key, out.Value, out.Time, out.Headers = env.Arena().Copy([]byte(k)), env.Arena().Copy([]byte(v)), m.Time, m.Headers
			env.Send(out)
		}
	}
	mirror := &graph.Node{ID: mirrorID, Kind: "mirror", Name: "mirror", At: "work.go:40", Children: []*graph.Node{sink}, Stores: []*decl.Store{copies}}
	mirror.Wire = func(env graph.Env, down any) any { return wireMirror(env, mirror, copies, down) }
	work := &graph.Node{ID: workID, Kind: "work", Name: "work", At: "work.go:30", Children: []*graph.Node{mirror, sink}, Stores: []*decl.Store{rows, private}}
	if shop.near != nil {
		work.Policy = shop.near
	}
	work.Fan = func(downs []any) any { return downs }
	work.Wire = func(env graph.Env, down any) any {
		w := &worker{say: shop.say, env: env, node: work, rows: env.DB(rows), private: env.DB(private)}
		w.mirror, w.sink = down.([]any)[0].(text2), down.([]any)[1].(text2)
		env.AtCommit(work, w.emit)
		env.OnClose(func() {
			shop.say("work closes, context: %v", env.Context().Err())
			w.sink(env.Meta(), "closing", "lost")
			_ = w.rows.Set(w.key("closing"), w.row(0, "lost"))
		})
		if shop.setup != "" {
			w.do(env.Meta(), "setup", shop.setup)
		}
		return text2(w.do)
	}
	source := func(id int, name string) *graph.Node {
		s := &graph.Source{Wire: wireSource, Time: func(_ string, _ int32, in *record.In, partitionTime int64) (int64, error) {
			if string(in.Value) == "timeless" {
				return 0, errors.New("no time in it")
			}
			if string(in.Value) == "late" {
				return partitionTime - 1, nil
			}
			return in.Time, nil
		}}
		if shop.topic != nil {
			s.Policy = shop.topic
		}
		return &graph.Node{ID: id, Kind: "source", Name: "source-" + name, At: "work.go:10", Children: []*graph.Node{work}, Topics: []*graph.Topic{{Name: name}}, Source: s}
	}
	a, b := source(sourceAID, "a"), source(sourceBID, "b")
	b.Topics = append(b.Topics, &graph.Topic{Pattern: "b[0-9]+"})
	return &graph.Sub{Nodes: []*graph.Node{a, b, work, mirror, sink}, Sources: []*graph.Node{a, b}, Stores: []*decl.Store{rows, private, copies}}
}

type text2 = func(m *record.Meta, k, v string)

func wireSource(env graph.Env, down any) func(m *record.Meta, in *record.In) {
	next := down.(text2)
	return func(m *record.Meta, in *record.In) {
		if string(in.Value) == "undecodable" {
			record.Fail(m.Node, errors.New("bad bytes"))
		}
		if m.NoKey {
			env.Drop(&graph.Node{Name: "work"}, "null-key")
			return
		}
		if m.NoValue {
			return
		}
		next(m, string(in.Key), string(in.Value))
	}
}

func wireMirror(env graph.Env, n *graph.Node, copies *decl.Store, down any) any {
	db := env.DB(copies)
	w := &worker{env: env, rows: db}
	next := down.(text2)
	env.AtCommit(n, func() {
		db.Dirty(db.Prefix("copies"), func(d store.Dirty) bool {
			next(env.Meta(), "copy of "+string(d.Key[len(db.Prefix("copies")):]), string(d.Value[layout.TimeLen:]))
			return true
		})
	})
	return text2(func(m *record.Meta, k, v string) {
		if err := db.Set(append([]byte(string(db.Prefix("copies"))), k...), w.row(m.Time, v)); err != nil {
			panic(err)
		}
	})
}

// A worker is the node "work" in one task.
type worker struct {
	say           func(string, ...any)
	env           graph.Env
	node          *graph.Node
	rows, private store.DB
	mirror, sink  text2
	inTimer       string
	timers        []graph.Timer
}

func (w *worker) key(k string) []byte { return append([]byte(string(w.rows.Prefix("rows"))), k...) }

func (w *worker) row(at int64, v string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at)), v...)
}

func (w *worker) do(m *record.Meta, k, v string) {
	for _, word := range strings.Split(v, ";") {
		m.Node = workID
		w.word(m, k, strings.TrimSpace(word))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *worker) word(m *record.Meta, k, word string) {
	verb, arg, _ := strings.Cut(word, " ")
	name, value, _ := strings.Cut(arg, "=")
	switch verb {
	case "out":
		w.sink(m, k, arg)
	case "put":
		must(w.rows.Set(w.key(name), w.row(m.Time, value)))
	case "private":
		must(w.private.Set(append([]byte(string(w.private.Prefix("private"))), name...), w.row(m.Time, value)))
	case "del":
		must(w.rows.Delete(w.key(name)))
	case "swallow":
		func() {
			defer func() { _ = recover() }()
			must(w.rows.Set(w.key(name), w.row(m.Time, value)))
		}()
	case "get":
		row, ok, err := w.rows.Get(w.key(name))
		must(err)
		if !ok {
			row = w.row(0, "nothing")
		}
		w.sink(m, k, name+" is "+string(row[layout.TimeLen:]))
	case "where":
		topic, partition, offset, ok := w.env.Position()
		w.say("at %s/%d@%d %v, time %d, stream time %d, now %v", topic, partition, offset, ok, m.Time, w.env.StreamTime(), time.UnixMilli(w.env.Now()).Sub(start))
	case "commit":
		w.env.RequestCommit()
	case "every", "wall":
		d, err := time.ParseDuration(arg)
		must(err)
		w.start(verb == "wall", d)
	case "stop":
		w.timers[len(w.timers)-1].Stop()
	case "timer":
		w.inTimer = strings.ReplaceAll(arg, ",", ";")
	case "fail":
		record.Fail(workID, errors.New("work refused"))
	case "fail-sink":
		record.Fail(sinkID, errors.New("cannot be written"))
	case "panic":
		panic("out of coffee")
	case "panic-error":
		panic(fmt.Errorf("wrapped: %w", errCoffee))
	case "drop":
		w.env.Drop(w.node, arg)
	default:
		w.sink(m, k, word)
	}
}

var errCoffee = errors.New("no coffee")

func (w *worker) start(wall bool, d time.Duration) {
	doing := w.inTimer
	w.timers = append(w.timers, w.env.Schedule(w.node, wall, d, func(now time.Time) error {
		w.say("timer of %v at %d, meta time %d", d, now.UnixMilli(), w.env.Meta().Time)
		if doing == "error" {
			return errors.New("timer refused")
		}
		w.do(w.env.Meta(), "timer", doing)
		return nil
	}))
}

// emit forwards the dirty rows, of which the one called "bad" cannot be, and "careless" does not look at errors.
func (w *worker) emit() {
	prefix := w.rows.Prefix("rows")
	w.rows.Dirty(prefix, func(d store.Dirty) bool {
		m := w.env.Meta()
		k := string(d.Key[len(prefix):])
		switch k {
		case "bad":
			panic(errors.New("bad row"))
		case "careless":
			_ = w.rows.Set(w.key("more"), w.row(0, ""))
			return false
		}
		_, _, _, ok := w.env.Position()
		w.say("emit %s, position known: %v", k, ok)
		if d.Has {
			m.Time = int64(binary.BigEndian.Uint64(d.Value))
			w.mirror(m, k, string(d.Value[layout.TimeLen:]))
		}
		return true
	})
}

// policyOf makes an error policy of its name; nil for "" and none.
func policyOf(name string) topology.ErrorPolicy {
	action := topology.Action{}
	switch name {
	case "", "none":
		return nil
	case "skip":
		action = topology.Skip()
	case "retry":
		action = topology.Retry(10 * time.Millisecond)
	case "dead":
		action = topology.DeadLetter("dead")
	case "nowhere":
		action = topology.DeadLetter("")
	case "odd":
		action = topology.Action{Kind: 9}
	case "panic":
		return func(*topology.RecordError) topology.Action { panic("no idea") }
	}
	return func(*topology.RecordError) topology.Action { return action }
}

// transcriptLogger writes warnings into the transcript.
func transcriptLogger(s *scenario) *slog.Logger { return slog.New(&transcriptHandler{s: s}) }

type transcriptHandler struct {
	slog.Handler
	s *scenario
}

func (h *transcriptHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (h *transcriptHandler) Handle(_ context.Context, r slog.Record) error {
	line := fmt.Sprintf("%v: %s", r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%q", a.Key, firstLine(fmt.Errorf("%v", a.Value)))
		return true
	})
	h.s.say("%s", line)
	return nil
}
