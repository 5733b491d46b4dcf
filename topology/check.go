package topology

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// check finds what only shows when all nodes are known: names that clash or that Kafka refuses, topics that two sources
// would read, stores nobody could keep.
func check(g *graph.Builder) []graph.Problem {
	c := checker{
		nodes: map[string]*graph.Node{}, stores: map[string]*decl.Store{},
		storeAt: map[*decl.Store]string{}, repartitions: map[string]*graph.Topic{},
	}
	tasks := false // a global table needs none
	for _, n := range g.Nodes() {
		c.node(n)
		for _, s := range n.Stores {
			c.store(n, s)
		}
		for _, t := range n.Topics {
			c.topic(n, t)
		}
		if n.Source != nil {
			c.sources = append(c.sources, n)
			tasks = tasks || n.Source.Global == nil
		}
	}
	if !tasks {
		c.report(g.At(), "Build", errors.New("nothing is read: begin with kstream.From or ktable.From"))
	}
	c.overlaps()
	return c.problems
}

type checker struct {
	nodes        map[string]*graph.Node
	stores       map[string]*decl.Store
	storeAt      map[*decl.Store]string  // where it was first used
	repartitions map[string]*graph.Topic // by name without the application id
	sources      []*graph.Node
	problems     []graph.Problem
}

func (c *checker) report(at, node string, err error) {
	c.problems = append(c.problems, graph.Problem{At: at, Node: node, Err: err})
}

func (c *checker) node(n *graph.Node) {
	ofRepartition := len(n.Topics) > 0 && n.Topics[0].Repartition // named after its topic, which is checked
	if n.Named && !ofRepartition {
		if err := legal("name", n.Name); err != nil {
			c.report(n.At, n.Call, err)
		}
	}
	if prev, ok := c.nodes[n.Name]; ok {
		bothTopics := ofRepartition && len(prev.Topics) > 0 && prev.Topics[0].Repartition
		bothStores := storeNamed(n, n.Name) && storeNamed(prev, n.Name)
		if bothTopics || bothStores { // the clash of those is reported
			return
		}
		c.report(n.At, n.Call, fmt.Errorf("name %q already used at %s: choose another", n.Name, prev.At))
		return
	}
	c.nodes[n.Name] = n
}

func storeNamed(n *graph.Node, name string) bool {
	return slices.ContainsFunc(n.Stores, func(s *decl.Store) bool { return s.Name == name })
}

func (c *checker) store(n *graph.Node, s *decl.Store) {
	if s.Global && (n.Source == nil || n.Source.Global == nil) {
		c.report(n.At, n.Call, fmt.Errorf("store %q is that of a global table, which every step may read: leave it out of the stores, and use topology.Task.Global", s.Name))
		return
	}
	if c.storeAt[s] != "" {
		return
	}
	c.storeAt[s] = n.At
	if err := legal("store name", s.Name); err != nil {
		c.report(n.At, n.Call, err)
	}
	if prev, ok := c.stores[s.Name]; ok {
		c.report(n.At, n.Call, fmt.Errorf("store %q already used at %s: choose another name, or share the handle made there", s.Name, c.storeAt[prev]))
	} else {
		c.stores[s.Name] = s
	}
	if s.Err != nil {
		c.report(n.At, n.Call, s.Err)
	}
	if s.FromSource && s.Source == "" {
		c.report(n.At, n.Call, fmt.Errorf("store %q: store.SourceChangelog is for a table that ktable.From reads from a topic: leave it out", s.Name))
	}
	if (s.LRU != 0 || s.TTL != 0) && (s.Source != "" || s.Global) {
		c.report(n.At, n.Call, fmt.Errorf("store %q: rows that store.LRU or store.TTL forget would come back with the topic it is restored from: give it a changelog of its own", s.Name))
	}
}

func (c *checker) topic(n *graph.Node, t *graph.Topic) {
	if t.Pattern != "" {
		if _, err := t.Matches(); err != nil {
			c.report(t.At, n.Call, fmt.Errorf("pattern of topic names does not compile: %w", err))
		}
		return
	}
	kind := "topic name"
	if t.Repartition {
		kind = "repartition name"
		if prev, ok := c.repartitions[t.Base()]; ok && prev != t {
			if n.Source == nil { // of the two ends the sink comes first: one error is enough
				c.report(t.At, n.Call, fmt.Errorf("repartition %q already used at %s: choose another name, or share the repartitioned handle", t.Name, prev.At))
			}
			return
		}
		c.repartitions[t.Base()] = t
		if n.Source != nil {
			return
		}
	}
	if err := legal(kind, t.Name); err != nil {
		c.report(t.At, n.Call, err)
	}
}

// overlaps finds topics that two sources read. Sources that read the same with the same settings were made one node when
// they were added; the group has one position per partition, so any others cannot both be right.
func (c *checker) overlaps() {
	readers := map[string]*graph.Node{}
	for _, n := range c.sources {
		for _, t := range n.Topics {
			if t.Pattern != "" || t.Repartition {
				continue
			}
			if prev, ok := readers[t.Name]; ok {
				if prev == n {
					c.report(t.At, n.Call, fmt.Errorf("topic %q is named twice", t.Name))
				} else {
					c.report(t.At, n.Call, fmt.Errorf("topic %q is also read, otherwise, at %s: read it once and share the handle", t.Name, prev.At))
				}
				continue
			}
			readers[t.Name] = n
		}
	}
	for _, n := range c.sources {
		for _, t := range n.Topics {
			re, err := t.Matches()
			if re == nil || err != nil {
				continue
			}
			for _, other := range c.sources {
				for _, o := range other.Topics {
					switch {
					case o.Repartition, o == t:
					case o.Pattern == t.Pattern && n.ID < other.ID:
						c.report(o.At, other.Call, fmt.Errorf("pattern %q is also read, otherwise, at %s: read it once and share the handle", o.Pattern, t.At))
					case o.Pattern == "" && re.MatchString(o.Name):
						c.report(t.At, n.Call, fmt.Errorf("pattern %q matches topic %q, which is read at %s: narrow the pattern, or read both in one From", t.Pattern, o.Name, o.At))
					}
				}
			}
		}
	}
}

// legal reports whether Kafka takes s as a topic name, or as part of one.
func legal(what, s string) error {
	const most = 249
	switch {
	case s == "":
		return fmt.Errorf("%s is empty: give one, it must not change between versions of the program", what)
	case s == "." || s == "..":
		return fmt.Errorf("%s %q is not allowed by Kafka: choose another", what, s)
	case len(s) > most:
		return fmt.Errorf("%s %q has %d characters, Kafka allows %d: choose a shorter one", what, s[:20]+"…", len(s), most)
	}
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	}
	if i := strings.IndexFunc(s, bad); i >= 0 {
		return fmt.Errorf("%s %q contains %q: Kafka allows letters, digits, '.', '_' and '-'", what, s, []rune(s[i:])[0])
	}
	return nil
}
