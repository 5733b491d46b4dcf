package conformance

import (
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// start makes the operations that begin with nothing, nil for any other.
func (p *program[S, N]) start(n *Node) element {
	switch n.Op {
	case "stream":
		t := p.source(n, n.list("topics"))
		return stream[S, N, S, S]{p: p, s: kstream.From(p.b, t), k: p.text, v: p.text}
	case "table":
		opts := p.options(n)
		if p.restored(n) {
			opts = append(opts, store.SourceChangelog())
		}
		t := p.source(n, []string{n.text("topic")})
		return newTable(p, n, ktable.From(p.b, t, n.text("store"), opts...), p.text, p.text)
	case "globalTable":
		g := ktable.GlobalFrom(p.b, p.source(n, []string{n.text("topic")}), n.text("store"), p.options(n)...)
		name := n.text("store")
		p.dumps[name] = func(d *reading) Store { return keyValueRows(d.Global(g), p.text, p.text, true) }
		p.known[name] = declared[S]{name: name, spec: g.Store(), timed: true, find: finder(g.Store(), p.text, p.text, true)}
		return global[S, N]{p, g}
	case "store":
		return p.declare(n)
	}
	return nil
}

// restored reports whether a table is restored from its source topic instead of a changelog of its own.
func (p *program[S, N]) restored(n *Node) bool {
	return n.Op == "table" && p.c.Config.Optimization == "all" && n.flag("logging", true) && !n.has("versionedMs")
}

// source returns the declaration of topics that are read. Topics are declared once: reading them again is the same source.
func (p *program[S, N]) source(n *Node, names []string) topology.Topic[S, S] {
	extractor := n.one("extractor", "fail", "skip", "partitionTime", "value")
	if len(names) == 0 {
		unknown("%s: no topic", n)
	}
	id := strings.Join(names, " ") + " " + extractor
	if t, ok := p.sources[id]; ok {
		return t
	}
	t := topology.NewTopic(names[0], p.text.serde, p.text.serde)
	if len(names) > 1 {
		t = t.AndNamed(names[1:]...)
	}
	switch extractor {
	case "fail": // without a function, records without a usable time are dropped
		if p.restored(n) {
			break // it has no other times than those its records have in the topic
		}
		t = t.TimeFrom(func(r topology.Record[S, S]) time.Time { return r.Time })
	case "partitionTime":
		t = t.TimeOrDrop(func(r topology.Record[S, S], latest time.Time) (time.Time, bool) {
			if r.Time.UnixMilli() < 0 && !latest.IsZero() {
				return latest, true
			}
			return r.Time, true
		})
	case "value":
		value := p.text.text
		t = t.TimeOrDrop(func(r topology.Record[S, S], _ time.Time) (time.Time, bool) {
			if r.HasValue() {
				if v := value(r.Value); v != nil {
					if _, at, ok := strings.Cut(*v, "@"); ok {
						ms, err := strconv.ParseInt(at, 10, 64)
						if err != nil {
							panic(err)
						}
						return time.UnixMilli(ms), ms >= 0
					}
				}
			}
			return r.Time, r.Time.UnixMilli() >= 0
		})
	}
	p.sources[id] = t
	return t
}
