package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// generous is a grace that no record of a case is beyond, in milliseconds.
const generous = 1 << 30

// A flow is a stream or a table of a case that is being made, with what is known of it: see Sink.
type flow struct {
	id             string
	keys           keys
	number         bool
	level, claimed level
	timed, dated   bool
	moved          bool
	lags           bool                // a table whose rows are those of the last commit
	empty          bool                // a table with rows that may be 0 or missing
	get            func(w *world) data // nil: the oracle claims nothing
}

// then is the flow that an operation gives which works on each record alone.
func (f flow) then(id string, change func(e event) []event) flow {
	get := f.get
	f.id = id
	if get != nil {
		f.get = func(w *world) data {
			return get(w).each(func(es []event) (out []event) {
				for _, e := range es {
					out = append(out, change(e)...)
				}
				return out
			})
		}
	}
	return f
}

// after is what the oracle claims of an operation on two flows.
func after(claim func(l, r data) data, l, r flow) (get func(w *world) data) {
	if l.get == nil || r.get == nil {
		return nil
	}
	return func(w *world) data { return claim(l.get(w), r.get(w)) }
}

// A generator makes a case of a seed.
type generator struct {
	*rand.Rand
	c       *Case
	names   map[string]int
	feeds   []feed
	shuffle bool // there is a repartition topic
}

// A feed is a topic to be filled.
type feed struct {
	topic      string
	nullKeys   bool
	nullValues bool
	coloned    bool // values name a key before a colon
	tableLike  bool // few keys, deletions
	weight     int
}

// Generate makes the case of a seed, which always is the same.
func Generate(seed uint64) *Case {
	g := &generator{
		Rand: rand.New(rand.NewPCG(seed, 1)), names: map[string]int{},
		c: &Case{Seed: seed, Partitions: 1, settled: true, oneTask: true},
	}
	if g.maybe(60) {
		g.c.Partitions = 2 + g.IntN(3)
	}
	g.c.inMemory = g.maybe(20)
	families := []func(){g.folds, g.folds, g.windows, g.windows, g.sessions, g.slidings, g.streamJoin, g.streamJoin, g.tableJoin, g.tables, g.tables, g.foreign, g.groups, g.unclaimed}
	families[g.IntN(len(families))]()
	if g.maybe(15) {
		families[g.IntN(len(families))]()
	}
	g.c.oneTask = g.c.oneTask && !g.shuffle && g.c.Partitions == 1
	g.fill()
	return g.c
}

// maybe is true so many times in a hundred.
func (g *generator) maybe(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

// name returns a new name.
func (g *generator) name(kind string) string {
	g.names[kind]++
	return fmt.Sprintf("%s%d", kind, g.names[kind])
}

// add appends an operation with a new id, which it returns. Fields come in pairs.
func (g *generator) add(op string, fields ...any) string {
	n := node{"op": op, "id": g.name(op)}
	for i := 0; i < len(fields); i += 2 {
		n[fields[i].(string)] = fields[i+1]
	}
	g.c.Nodes = append(g.c.Nodes, n)
	return n["id"].(string)
}

// source is a stream of a new topic.
func (g *generator) source(f feed) flow {
	f.topic = g.name("in")
	f.weight = 1 + g.IntN(3)
	g.feeds = append(g.feeds, f)
	g.c.nulls = g.c.nulls || f.nullKeys || f.nullValues
	topic := f.topic
	return flow{id: g.add("stream", "topics", []string{topic}), level: every, claimed: every, timed: true, dated: true, get: func(w *world) data { return w.of(topic) }}
}

// table is a table of a new topic.
func (g *generator) table(f feed) flow {
	f.topic, f.tableLike = g.name("in"), true
	f.weight = 1 + g.IntN(3)
	g.feeds = append(g.feeds, f)
	g.c.nulls = true
	topic, cached := f.topic, g.maybe(50)
	t := flow{id: g.add("table", "topic", topic, "store", g.name("rows"), "caching", cached), level: every, claimed: every, timed: true, dated: true,
		get: func(w *world) data { return tableOf(w.of(topic)) }}
	return t.cached(cached)
}

// cached is the table if it forwards once per commit.
func (f flow) cached(yes bool) flow {
	if yes {
		f.level, f.claimed = last, last
	}
	return f
}

// sink writes a flow to a topic of its own.
func (g *generator) sink(f flow) {
	topic := g.name("out")
	g.add("to", "in", f.id, "topic", topic)
	g.c.Sinks = append(g.c.Sinks, Sink{topic, f.keys, f.number, f.level, f.claimed, f.timed, f.timed && f.dated, f.moved, f.empty, f.get})
}

// stream is the stream of a table's updates.
func (g *generator) stream(t flow) flow {
	t.id = g.add("toStream", "in", t.id)
	g.c.nulls = true
	return t
}

// stateless puts some operations behind a stream, and perhaps a processor that counts.
func (g *generator) stateless(s flow) flow {
	for range g.IntN(3) {
		s = g.one(s)
	}
	if s.level == every && s.keys.kind == "" && g.maybe(15) {
		s = g.counter(s)
	}
	return s
}

// one puts an operation behind a stream that keeps keys and state.
func (g *generator) one(s flow) flow {
	verb := pick(g, "filter", "filterNot", "mapValues", "flatMapValues", "stamp")
	if s.level == last || s.keys.kind != "" {
		verb = "mapValues" // alone leaves the last update the last
	}
	switch verb {
	case "filter", "filterNot":
		fn := pick(g, "contains:a", "lenGe:2", "keyIs:b")
		return s.then(g.add(verb, "in", s.id, "fn", fn), func(e event) []event {
			if keeps(fn, e) == (verb == "filter") {
				return []event{e}
			}
			return nil
		})
	case "flatMapValues":
		s.number = false
		return s.then(g.add(verb, "in", s.id, "fn", "dup:2"), func(e event) []event {
			one, two := e, e
			if e.value != nil {
				one.value, two.value = text(*e.value+"#0"), text(*e.value+"#1")
			}
			return []event{one, two}
		})
	case "stamp":
		s.number = false
		return s.then(g.add("processValues", "in", s.id, "processor", "stamp", "stores", []string{}), func(e event) []event {
			e.value = text(fmt.Sprintf("%s@%d", shown(e.value), e.time))
			return []event{e}
		})
	}
	s.number = false
	fn := pick(g, "upper", "append:+", "len", "identity")
	if s.keys.kind == "" && s.level == every {
		fn = pick(g, fn, "withKey")
	}
	return s.then(g.add(verb, "in", s.id, "fn", fn), func(e event) []event {
		e.value = value(fn, e)
		return []event{e}
	})
}

// counter is a processor that numbers the records of each key, in its task.
func (g *generator) counter(s flow) flow {
	store := g.name("numbers")
	g.c.Nodes = append(g.c.Nodes, node{"op": "store", "id": store, "kind": "keyValue"})
	get := s.get
	s.number, s.moved = false, true // a processor may change keys, for all that is known
	s.id = g.add("process", "in", s.id, "processor", "counter", "stores", []string{store})
	if get != nil {
		s.get = func(w *world) data {
			return get(w).each(func(es []event) (out []event) {
				counts := map[string]int{}
				for _, e := range es {
					if e.key != nil {
						counts[*e.key]++
						e.value = text(fmt.Sprint(counts[*e.key]))
						out = append(out, e)
					}
				}
				return out
			})
		}
	}
	return s
}

// rekey gives the records of a stream other keys.
func (g *generator) rekey(s flow) flow {
	fn := pick(g, "firstChar", "value", "keyFirstChar")
	if s.keys.kind != "" {
		fn = "beforeAt"
	}
	s = s.then(g.add("selectKey", "in", s.id, "fn", fn), func(e event) []event {
		e.key = selected(fn, e)
		return []event{e}
	})
	s.keys, s.moved = keys{}, true
	g.c.nulls = true
	return s
}

// settle is the stream as a fold or a join gets it: through a repartition topic if its keys were changed.
func (g *generator) settle(s flow) flow {
	if !s.moved {
		return s
	}
	g.shuffle = true
	if g.c.Partitions > 1 {
		s.level, s.claimed = bag, bag // tasks write to it at their own pace
		g.c.settled = false
	}
	s.moved = false
	if get := s.get; get != nil {
		s.get = func(w *world) data { return get(w).shuffled() }
	}
	return s
}

// fill makes the steps: topics take turns by their weights, time goes on with all of them, and goes back within one.
func (g *generator) fill() {
	n := 15 + g.IntN(45)
	topics := int64(len(g.feeds))
	var turns []int
	for i, f := range g.feeds {
		turns = append(turns, slices.Repeat([]int{i}, f.weight)...)
	}
	now, back := pick(g, int64(0), 400), pick(g, int64(0), 5, 20, 60)
	letters := []string{"a", "b", "c", "d", "e", "f"}[:2+g.IntN(5)]
	for i := range n {
		f := turns[g.IntN(len(turns))]
		switch {
		case g.maybe(4):
			now += int64(g.IntN(300))
		case g.maybe(70):
			now += int64(g.IntN(8))
		}
		at := now
		if g.maybe(30) {
			at = max(0, now-int64(g.IntN(int(back)+1)))
		}
		s := Step{Topic: g.feeds[f].topic, Time: at*topics + int64(f)} // records of two topics are never of one time
		if !g.feeds[f].nullKeys || !g.maybe(8) {
			s.Key = text(pick(g, letters...))
		}
		if !g.feeds[f].nullValues && !g.feeds[f].tableLike || !g.maybe(15) {
			s.Value = text(pick(g, "a", "bb", "ccc", "ab", "d", "ba") + pick(g, "", fmt.Sprint(i)))
			if g.feeds[f].coloned && !g.maybe(10) {
				s.Value = text(pick(g, letters...) + ":" + *s.Value)
			}
		}
		g.c.Steps = append(g.c.Steps, s)
	}
}
