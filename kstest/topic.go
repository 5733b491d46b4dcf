package kstest

import (
	"fmt"
	"slices"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// A topic holds what was written to it, of all its partitions.
type topic struct {
	partitions [][]written
	order      []place // of all records, as they were written
	turn       int     // where the next record without a partition goes
}

// written is a record in a topic.
type written struct {
	record.In
	seq int64 // place among all records of all topics
}

// place is where a record is in its topic.
type place struct {
	partition int32
	offset    int64
}

// topic returns a topic, made if it is new.
func (d *Driver) topic(name string) *topic {
	t := d.topics[name]
	if t == nil {
		t = &topic{partitions: make([][]written, d.partitions(name))}
		d.topics[name] = t
	}
	return t
}

// partitions returns the number of partitions of a topic.
func (d *Driver) partitions(name string) int32 {
	if n := d.counts[name]; n > 0 {
		return n
	}
	return int32(d.options.partitions)
}

// layOut finds the topics each subtopology reads, and the numbers of partitions: those of repartition topics follow from
// what is upstream of them, or from the topics they must be co-partitioned with.
func (d *Driver) layOut() {
	d.t.Helper()
	app := d.options.application
	d.counts = map[string]int32{}
	d.sources = make([][]string, len(d.plan.Subs))
	open := map[string]*graph.Topic{} // repartition topics without a number of their own
	for i, sub := range d.plan.Subs {
		for _, n := range sub.Nodes {
			for _, t := range n.Topics {
				switch {
				case t.Pattern != "":
					d.sources[i] = append(d.sources[i], d.matching(t)...)
					continue
				case d.options.oneTask:
					d.counts[t.Full(app)] = 1
				case t.Repartition && t.Partitions == 0:
					open[t.Full(app)] = t
				case t.Repartition:
					d.counts[t.Full(app)] = int32(t.Partitions)
				default:
					d.counts[t.Name] = int32(d.options.partitions)
				}
				if n.Source != nil {
					d.sources[i] = append(d.sources[i], t.Full(app))
				}
			}
		}
		slices.Sort(d.sources[i])
		d.sources[i] = slices.Compact(d.sources[i])
	}
	d.settleCounts(open)
	for i, sub := range d.plan.Subs {
		for _, store := range sub.Stores {
			if !store.Logged() {
				continue
			}
			d.counts[graph.Changelog(app, store)] = d.tasks(i)
		}
	}
	d.checkCopartition()
}

// matching returns the topics that a pattern reads: of those there are, none of the app's own.
func (d *Driver) matching(t *graph.Topic) []string {
	d.t.Helper()
	re, err := t.Matches()
	if err != nil {
		d.fail(err)
	}
	var names []string
	for name := range d.times { // somebody sends to them
		if re.MatchString(name) {
			names = append(names, name)
			d.counts[name] = int32(d.options.partitions)
		}
	}
	return names
}

// settleCounts finds the numbers of partitions of the repartition topics that have none of their own. Those that must be
// co-partitioned with another topic have its number; the others as many as the subtopology that writes them reads at most,
// which is known once all its sources are settled. In a cycle the sources that are settled have to do.
func (d *Driver) settleCounts(open map[string]*graph.Topic) {
	for patient := true; ; {
		settled := d.adopt(open)
		for i, sub := range d.plan.Subs {
			if n := d.tasks(i); n > 0 && (!patient || !slices.ContainsFunc(d.sources[i], d.unsettled)) {
				settled = d.flow(sub, open, n) || settled
			}
		}
		switch {
		case settled:
			patient = true
		case patient:
			patient = false
		default:
			return
		}
	}
}

func (d *Driver) unsettled(topic string) bool { return d.counts[topic] == 0 }

// flow gives the repartition topics that a subtopology writes a number of partitions, and reports whether there were any.
func (d *Driver) flow(sub *graph.Sub, open map[string]*graph.Topic, n int32) (settled bool) {
	for _, node := range sub.Nodes {
		for _, t := range node.Topics {
			if name := t.Full(d.options.application); open[name] != nil && node.Source == nil && d.unsettled(name) {
				d.counts[name] = n
				settled = true
			}
		}
	}
	return settled
}

// tasks returns the number of tasks of a subtopology.
func (d *Driver) tasks(sub int) (n int32) {
	for _, name := range d.sources[sub] {
		n = max(n, d.counts[name])
	}
	return n
}

// adopt gives repartition topics the number of those they must be co-partitioned with, and reports whether there were any.
func (d *Driver) adopt(open map[string]*graph.Topic) (settled bool) {
	for _, sub := range d.plan.Subs {
		for _, g := range sub.Groups {
			var n int32
			for _, t := range g.Topics {
				n = max(n, d.counts[t.Full(d.options.application)])
			}
			for _, t := range g.Topics {
				if name := t.Full(d.options.application); open[name] != nil && n > 0 && d.unsettled(name) {
					d.counts[name] = n
					settled = true
				}
			}
		}
	}
	return settled
}

func (d *Driver) checkCopartition() {
	d.t.Helper()
	app := d.options.application
	for _, sub := range d.plan.Subs {
		for _, g := range sub.Groups {
			for _, t := range g.Topics[1:] {
				a, b := g.Topics[0].Full(app), t.Full(app)
				if t.Pattern == "" && g.Topics[0].Pattern == "" && d.counts[a] != d.counts[b] {
					d.fail(fmt.Errorf("%s: %s needs equal keys of topics %q (%d partitions) and %q (%d partitions) in one task: give them the same number",
						g.At, g.Node, a, d.counts[a], b, d.counts[b]))
				}
			}
		}
	}
}
