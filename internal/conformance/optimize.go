package conformance

import "slices"

// With optimization "all", Kafka Streams makes one repartition topic, with the name of the first, of all those that follow an
// operation that changes the key, unless an operation that changes values lies between. Millrace never repartitions in
// silence, so that a program says the same by sharing the repartitioned stream.
//
//	selectKey ─┬─ groupByKey (r1)              selectKey ─── Repartition("r1") ─┬─ GroupByKey
//	           └─ filter ─ groupByKey (r2)                                      └─ Filter ─ GroupByKey

// shared returns the stream after the one repartition topic of the operation that has changed its key, ok if it has one.
func (x stream[S, N, K, V]) shared() (y stream[S, N, K, V], ok bool) {
	if x.p.c.Config.Optimization != "all" || !x.moved || x.origin == "" {
		return x, false
	}
	if have, ok := x.p.merged[x.origin]; ok {
		return have.(stream[S, N, K, V]), true
	}
	name := x.p.c.firstRepartition(x.origin)
	if name == "" {
		return x, false
	}
	id := x.origin
	x.s, x.moved, x.origin = x.s.Repartition(name), false, ""
	x.p.merged[id] = x
	return x, true
}

// partitionedFor returns the stream that an operation follows which keeps keys and values: the shared one, if a repartition
// topic comes behind the operation.
func (x stream[S, N, K, V]) partitionedFor(n *Node) stream[S, N, K, V] {
	keeps := slices.Contains([]string{"filter", "filterNot", "split"}, n.Op)
	if keeps && slices.ContainsFunc(x.p.c.repartitions(x.origin), func(r repartition) bool { return x.p.c.leads(r.from, n) }) {
		x, _ = x.shared()
	}
	return x
}

// A repartition is where Kafka Streams needs a repartition topic if the key has changed.
type repartition struct {
	from string // the stream that goes through it
	name string
}

// repartitions returns those that follow an operation that changes the key, in the order in which they are made.
func (c *Case) repartitions(origin string) (found []repartition) {
	if origin == "" {
		return nil
	}
	add := func(from, name string) {
		known := slices.ContainsFunc(found, func(r repartition) bool { return r == repartition{from, name} })
		if !known && c.follows(from, origin) {
			found = append(found, repartition{from, name})
		}
	}
	for _, n := range c.Topology {
		switch n.Op {
		case "joinTable":
			add(n.text("left"), n.maybe("name"))
		case "joinStream":
			add(n.text("left"), n.maybe("name")+"-left")
			add(n.text("right"), n.maybe("name")+"-right")
		case "toTable":
			add(n.text("in"), or(n.maybe("name"), n.ID))
		case "count", "reduce", "aggregate":
			for _, g := range c.groupings(n.text("in")) {
				add(g.text("in"), or(g.maybe("repartition"), n.maybe("store")))
			}
		}
	}
	return found
}

func (c *Case) firstRepartition(origin string) string {
	if all := c.repartitions(origin); len(all) > 0 {
		return all[0].name
	}
	return ""
}

// groupings returns the groupByKey operations that a fold of what is called id folds.
func (c *Case) groupings(id string) []*Node {
	n := c.node(id)
	if n == nil {
		return nil
	}
	switch n.Op {
	case "groupByKey":
		return []*Node{n}
	case "windowedBy", "cogroup":
		return c.groupings(n.text("in"))
	case "cogroupWith":
		return append(c.groupings(n.text("in")), c.groupings(n.text("other"))...)
	}
	return nil
}

// follows reports whether what is called id is the output of an operation, or follows from it with the same keys and values.
func (c *Case) follows(id, origin string) bool {
	if id == origin {
		return true
	}
	n := c.node(id)
	return n != nil && slices.Contains([]string{"filter", "filterNot", "split"}, n.Op) && c.follows(n.text("in"), origin)
}

// leads reports whether what is called id is the output of n, or follows from it with the same keys and values.
func (c *Case) leads(id string, n *Node) bool {
	m := c.node(id)
	return m == n || m != nil && slices.Contains([]string{"filter", "filterNot", "split"}, m.Op) && c.leads(m.text("in"), n)
}

// node returns the operation that gives what is called id: of a branch its split.
func (c *Case) node(id string) *Node {
	for _, n := range c.Topology {
		if n.ID == id && n.Op != "split" || n.Op == "split" && slices.Contains(n.branchIDs(), id) {
			return n
		}
	}
	return nil
}

// branchIDs returns the ids of the branches of a split.
func (n *Node) branchIDs() []string {
	var branches []struct{ ID, Fn string }
	n.get("branches", &branches)
	ids := []string{n.maybe("default")}
	for _, b := range branches {
		ids = append(ids, b.ID)
	}
	return ids
}
