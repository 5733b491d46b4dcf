package metamorphic

// The families of topologies. Each is one component of a case, and may have several sinks.

// folded verbs and their functions. Of these, count, min, max and sumLen do not depend on the order.
func (g *generator) fold(ordered bool) (verb, fn string) {
	verb = pick(g, "count", "reduce", "aggregate")
	switch {
	case verb == "count":
		return verb, ""
	case verb == "aggregate" && g.maybe(50):
		return verb, "sumLen"
	case ordered && g.maybe(60):
		return verb, "concat:,"
	case ordered && verb == "reduce" && g.maybe(30):
		return verb, "last"
	}
	return verb, pick(g, "min", "max")
}

// by adds a grouping by key to a stream, and returns its id.
func (g *generator) by(s flow) string {
	return g.add("groupByKey", "in", s.id, "repartition", g.name("grouped"))
}

// folding adds a fold of a grouping with a new store.
func (g *generator) folding(verb, fn, grouping string, cached bool, more ...any) string {
	fields := append([]any{"in", grouping, "store", g.name("folded"), "caching", cached}, more...)
	if fn != "" {
		fields = append(fields, "fn", fn)
	}
	if verb == "aggregate" {
		fields = append(fields, "init", "")
	}
	return g.add(verb, fields...)
}

// foldedTable folds a stream by key.
func (g *generator) foldedTable(s flow) flow {
	by := g.by(s)
	s = g.settle(s)
	verb, fn := g.fold(s.level == every)
	if s.number && verb == "reduce" { // the language has no reductions of numbers
		verb, fn = "count", ""
	}
	cached := g.maybe(40)
	get := s.get
	t := flow{id: g.folding(verb, fn, by, cached), number: verb == "count", level: every, claimed: every, timed: true, dated: true}
	if get != nil {
		t.get = func(w *world) data { return foldOf(verb, fn, get(w)) }
	}
	if s.level == bag {
		t.level, t.claimed = last, last
	}
	return t.cached(cached)
}

// folds: a stream is folded by its own or by another key, and what comes of it perhaps again.
func (g *generator) folds() {
	s := g.source(feed{nullKeys: g.maybe(30), nullValues: g.maybe(30)})
	if g.maybe(25) {
		other := g.source(feed{})
		l, r := s.get, other.get
		s.id = g.add("merge", "in", s.id, "other", other.id)
		s.get = func(w *world) data {
			a, b, both := l(w), r(w), make(data, w.partitions)
			for p := range both {
				both[p] = merged(a[p], b[p])
			}
			return both
		}
	}
	s = g.stateless(s)
	if g.maybe(40) {
		s = g.rekey(s)
	}
	t := g.foldedTable(s)
	g.again(g.stream(t))
}

// again writes a stream, and perhaps a further fold of it.
func (g *generator) again(s flow) {
	g.sink(s)
	if s.level == last || g.maybe(60) {
		return
	}
	s = g.stateless(s)
	if s.keys.kind != "" || g.maybe(50) {
		s = g.rekey(s)
	}
	g.sink(s)
	t := g.foldedTable(s)
	g.sink(g.stream(t))
}

// graces, sizes: in milliseconds, as times come to be when several topics share them.
func (g *generator) grace() int64 { return pick(g, int64(0), 7, 30, 100, generous) }

// ending adds what decides when results of windows are sent: a grouping cut into windows, a fold of it, and perhaps a suppress
// that waits for their close. It returns the stream, and whether each window gives one result.
func (g *generator) windowedFold(s flow, c *cut, k keys, verb, fn string, claim func(c cut, in data) data, fields ...any) flow {
	by := g.by(s)
	s = g.settle(s)
	cached, suppressed := g.maybe(40), false
	switch {
	case s.level != every:
	case g.maybe(25):
		c.close, cached = true, false
		fields = append(fields, "emit", "close")
	case g.maybe(25):
		suppressed = true
	}
	fields = append([]any{"in", by, "kind", c.kind}, fields...)
	if c.grace > 0 {
		fields = append(fields, "graceMs", c.grace)
	}
	cutting := g.add("windowedBy", fields...)
	var more []any
	if c.kind == "session" && verb == "aggregate" {
		more = append(more, "merger", "sum")
	}
	if c.kind == "session" && (cached || g.c.inMemory) {
		// What a cache shows of sessions that have expired depends on commits, and stores in memory refuse a session
		// that is just not late: as in Kafka Streams.
		more, c.hidesForgotten = append(more, "retentionMs", 2*generous), false
	}
	t := flow{id: g.folding(verb, fn, cutting, cached, more...), keys: k, number: verb == "count", level: every, claimed: every, timed: true, dated: true}
	get, cut := s.get, *c
	if suppressed {
		t.id = g.add("suppress", "in", t.id, "until", "close", "name", g.name("held"))
		cut.close = true
		g.c.settled = g.c.settled && !cached
	}
	if get != nil && claim != nil {
		t.get = func(w *world) data { return claim(cut, get(w)) }
	}
	switch {
	case suppressed && c.kind != "time":
		t.get = nil
		t = t.cached(cached)
	case suppressed && cached:
		t.level, t.claimed = bag, bag
	case s.level == bag:
		t.level, t.claimed = last, last
	default:
		t = t.cached(cached)
	}
	if c.kind != "time" && !cut.close {
		t.claimed = last
	}
	return g.stream(t)
}

// windows: tumbling and hopping.
func (g *generator) windows() {
	moved := g.maybe(25)
	verb, fn := g.fold(!moved || g.c.Partitions == 1)
	s := g.stateless(g.source(feed{nullKeys: g.maybe(30), nullValues: verb == "count" && g.maybe(30)}))
	c := cut{kind: "time", size: int64(10 + g.IntN(60)), grace: g.grace()}
	c.advance = c.size
	fields := []any{"sizeMs", c.size}
	if g.maybe(50) {
		c.advance = max(1, c.size/int64(1+g.IntN(4)))
		fields = append(fields, "advanceMs", c.advance)
	}
	if moved {
		s = g.rekey(s)
		if g.c.Partitions > 1 {
			c.grace = generous
		}
	}
	g.again(g.windowedFold(s, &c, keys{"time", c.size}, verb, fn, func(c cut, in data) data { return windowsOf(c, verb, fn, in) }, fields...))
}

// sessions of inactivity.
func (g *generator) sessions() {
	verb, fn := g.fold(false)
	if verb == "aggregate" {
		fn = "sumLen"
	}
	s := g.source(feed{nullKeys: g.maybe(30), nullValues: verb == "count" && g.maybe(30)})
	c := cut{kind: "session", size: int64(3 + g.IntN(25)), grace: g.grace(), hidesForgotten: true}
	if g.maybe(20) {
		s = g.rekey(s)
		if g.c.Partitions > 1 {
			c.grace = generous
		}
	}
	t := g.windowedFold(s, &c, keys{kind: "session"}, verb, fn, func(c cut, in data) data { return sessionsOf(c, verb, fn, in) }, "gapMs", c.size)
	g.sink(t)
}

// slidings: sliding windows, of which the oracle claims those that no record is late for.
func (g *generator) slidings() {
	verb, fn := g.fold(false)
	s := g.stateless(g.source(feed{nullKeys: g.maybe(30), nullValues: g.maybe(30)}))
	c := cut{kind: "sliding", size: int64(5 + g.IntN(50)), grace: pick(g, int64(0), 30, generous, generous, generous)}
	claim := func(c cut, in data) data { return slidingOf(c, verb, fn, in) }
	if c.grace < generous {
		claim = nil
	}
	t := g.windowedFold(s, &c, keys{"time", c.size}, verb, fn, claim, "sizeMs", c.size)
	if c.close {
		t.get = nil
	}
	g.sink(t)
}

// streamJoin: two streams, each perhaps with other keys.
func (g *generator) streamJoin() {
	j := within{kind: pick(g, "inner", "left", "outer"), before: int64(g.IntN(40)), after: int64(g.IntN(40)), grace: g.grace()}
	if j.before+j.after == 0 {
		j.after = 1
	}
	outer := j.kind != "inner"
	l := g.source(feed{nullKeys: g.maybe(30)})
	r := g.source(feed{nullKeys: g.maybe(30)})
	if g.maybe(60) {
		l = g.one(l)
	}
	moved := !outer && g.maybe(25)
	if moved {
		l = g.rekey(l)
		j.grace = generous
	}
	name := g.name("paired")
	fields := []any{"left", l.id, "right", r.id, "kind", j.kind, "joiner", "pair", "beforeMs", j.before, "afterMs", j.after, "name", name + "-by", "store", name}
	if j.grace > 0 {
		fields = append(fields, "graceMs", j.grace)
	}
	l = g.settle(l)
	s := flow{id: g.add("joinStream", fields...), level: every, claimed: every, timed: true, dated: true, get: after(func(l, r data) data { return joinStreams(j, l, r) }, l, r)}
	if moved { // which of two topics goes first is not fixed
		s.level, s.claimed = bag, bag
		g.c.settled, g.c.oneTask = false, false
	}
	g.again(s)
}

// tableJoin: a stream with a table, of a topic or of a fold.
func (g *generator) tableJoin() {
	kind := pick(g, "inner", "left")
	l := g.source(feed{nullKeys: g.maybe(30), nullValues: g.maybe(30)})
	if g.maybe(40) {
		l = g.one(l)
	}
	var r flow
	if g.maybe(60) {
		r = g.table(feed{nullKeys: g.maybe(20)})
		if d := g.derived(r); !d.lags {
			r = d
		}
	} else {
		r = g.foldedTable(g.source(feed{}))
	}
	s := flow{id: g.add("joinTable", "left", l.id, "right", r.id, "kind", kind, "joiner", "pair", "name", g.name("looked")), level: every, claimed: every, timed: true, dated: true,
		get: after(func(l, r data) data { return joinTable(kind, l, r) }, l, r)}
	g.again(g.stateless(s))
}

// derived is a table that follows from another, row by row.
func (g *generator) derived(t flow) flow {
	for range g.IntN(2) {
		var more []any
		cached := g.maybe(30)
		if g.maybe(30) {
			more = []any{"store", g.name("derived"), "caching", cached}
			t.lags = t.lags || t.level == last
		} else {
			cached = false
		}
		if fn := pick(g, "contains:a", "lenGe:2"); g.maybe(50) {
			t = t.then(g.add("filter", append([]any{"in", t.id, "fn", fn}, more...)...), func(e event) []event {
				if e.value != nil && !keeps(fn, e) {
					e.value = nil
				}
				return []event{e}
			})
			t.claimed = last // which deletions are sent is not claimed
		} else {
			fn := pick(g, "upper", "append:+")
			t = t.then(g.add("mapValues", append([]any{"in", t.id, "fn", fn}, more...)...), func(e event) []event {
				e.value = value(fn, e)
				return []event{e}
			})
		}
		t = t.cached(cached)
	}
	return t
}

// tables: two or three tables joined by key.
func (g *generator) tables() {
	t := g.derived(g.table(feed{nullKeys: g.maybe(20)}))
	for range 1 + g.IntN(2) {
		kind := pick(g, "inner", "left", "outer")
		r := g.table(feed{})
		if r.level != t.level {
			// Where one side forwards at once and the other once per commit, a row that comes and goes within a commit
			// is joined with the former and never taken back, as in Kafka Streams: both do the same here.
			r.level, r.claimed = t.level, t.claimed
			g.c.Nodes[len(g.c.Nodes)-1]["caching"] = t.level == last
		}
		if kind == "inner" && t.level == last {
			// An inner join forwards no deletion while the other side is missing, so that both sides deleted in one
			// commit leave a row, as in Kafka Streams.
			kind = "left"
		}
		if d := g.derived(r); d.level == t.level {
			r = d
		}
		fields := []any{"left", t.id, "right", r.id, "kind", kind, "joiner", "pair"}
		cached := g.maybe(30)
		if g.maybe(40) {
			fields = append(fields, "store", g.name("joined"), "caching", cached)
		} else {
			cached = false
		}
		joined := flow{id: g.add("joinTables", fields...), level: min(t.level, r.level), claimed: last, timed: true, dated: t.claimed == every && r.claimed == every,
			get: after(func(l, r data) data { return joinTables(kind, l, r) }, t, r)}
		if joined.level == last {
			joined.timed = false
			g.c.settled = false
		}
		t = joined.cached(cached)
	}
	g.sink(g.stream(t))
}

// foreign: a table joined with the rows of another that its values name.
func (g *generator) foreign() {
	kind, fn := pick(g, "inner", "left"), pick(g, "beforeColon", "beforeColon", "firstChar")
	l, r := g.table(feed{coloned: true}), g.derived(g.table(feed{}))
	g.shuffle = true
	g.c.settled = false
	if kind == "inner" {
		// A row that loses its match and changes once more before it is told so keeps its result, as in Kafka Streams: the
		// answer is dropped as stale, and a change that has no match is not answered. So changes wait for each other.
		g.c.eager = true
	}
	t := flow{id: g.add("joinForeign", "left", l.id, "right", r.id, "kind", kind, "fn", fn, "joiner", "pair", "name", g.name("foreign"), "store", g.name("joined"), "caching", g.maybe(50)),
		level: last, claimed: last, get: after(func(l, r data) data { return joinForeign(kind, fn, l, r) }, l, r)}
	g.sink(g.stream(g.derived(t)))
}

// groups: a table grouped by another key.
func (g *generator) groups() {
	t := g.derived(g.table(feed{nullKeys: g.maybe(20), coloned: g.maybe(50)}))
	key, val := pick(g, "beforeColon", "firstChar", "value", "keyFirstChar"), pick(g, "identity", "append:+", "len")
	g.shuffle = true
	g.c.settled = false
	by := g.add("tableGroupBy", "in", t.id, "key", key, "value", val, "repartition", g.name("regrouped"))
	verb, fn := "count", ""
	var more []any
	if g.maybe(50) {
		verb, fn = "aggregate", "sumLen"
		more = []any{"sub", "subLen"}
	}
	get := t.get
	u := flow{id: g.folding(verb, fn, by, g.maybe(50), more...), number: verb == "count", level: last, claimed: last, empty: true,
		get: func(w *world) data { return regrouped(key, val, verb, fn, get(w)) }}
	g.sink(g.stream(u))
}

// unclaimed: what the oracle tells nothing of, and must be the same in all runs nevertheless.
func (g *generator) unclaimed() {
	l := g.source(feed{})
	topic := feed{topic: g.name("in"), tableLike: true, weight: 1}
	g.feeds = append(g.feeds, topic)
	g.c.nulls = true
	t := g.add("table", "topic", topic.topic, "store", g.name("rows"), "versionedMs", 400)
	s := g.add("joinTable", "left", l.id, "right", t, "kind", pick(g, "inner", "left"), "joiner", "pair", "name", g.name("looked"), "graceMs", pick(g, 0, 20, 200))
	g.sink(flow{id: s, level: every, timed: true})
	if g.maybe(50) {
		u := g.foldedTable(g.source(feed{}))
		id := g.add("suppress", "in", u.id, "until", "time", "limitMs", 30, "name", g.name("held"), "maxRecords", 3, "full", "emitEarly")
		u.id, u.get = id, nil
		if u.level == every {
			g.sink(g.stream(u))
		}
	}
}
