package topology

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/millrace-streams/millrace/internal/graph"
)

// Change is one difference found by Diff.
type Change struct {
	Kind       string // "store added", "store removed", "store changed", "changelog dropped", "topic read", "topic no longer read", …
	Name       string // of the store or topic
	LosesState bool   // what was stored, or is under way, under this name is not used any more
}

// Diff lists what changes for stored state and topics when an app moves from old to t: first what loses state, then by
// kind and name. Steps without names in Kafka may change freely and are not listed.
func (t *Topology) Diff(old *Topology) []Change {
	was, is := inventory(old), inventory(t)
	var changes []Change
	for k, kind := range is {
		before, ok := was[k]
		switch {
		case !ok:
			changes = append(changes, Change{k.what + added(k.what), k.name, false})
		case before == kind+unlogged && k.what == "store":
			changes = append(changes, Change{"changelog added", k.name, false})
		case kind == before+unlogged && k.what == "store":
			changes = append(changes, Change{"changelog dropped", k.name, false})
		case before != kind:
			changes = append(changes, Change{k.what + " changed", k.name, true})
		}
	}
	for k := range was {
		if _, ok := is[k]; !ok {
			changes = append(changes, Change{k.what + removed(k.what), k.name, k.what == "store" || k.what == "repartition"})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		if a.LosesState != b.LosesState {
			if a.LosesState {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return changes
}

const (
	readTopic    = "topic"
	writtenTopic = "output"
	unlogged     = " without changelog"
)

func added(what string) string {
	switch what {
	case readTopic:
		return " read"
	case writtenTopic:
		return " written"
	}
	return " added"
}

func removed(what string) string {
	switch what {
	case readTopic:
		return " no longer read"
	case writtenTopic:
		return " no longer written"
	}
	return " removed"
}

type thing struct{ what, name string }

// inventory lists what of a topology has a name in Kafka or on disk, with what must stay the same about it.
func inventory(t *Topology) map[thing]string {
	found := map[thing]string{}
	for _, s := range t.Subs {
		for _, d := range s.Stores {
			kind := d.Kind.String()
			switch {
			case d.Source != "":
				kind += " kept in " + d.Source
			case !d.Logged():
				kind += unlogged
			}
			found[thing{"store", d.Name}] = kind
		}
		for _, n := range s.Nodes {
			for _, topic := range n.Topics {
				switch {
				case topic.Repartition:
					found[thing{"repartition", topic.Name + topic.Suffix}] = partitions(topic)
				case n.Source != nil:
					found[thing{readTopic, topicName(topic)}] = ""
				default:
					found[thing{writtenTopic, topicName(topic)}] = ""
				}
			}
		}
	}
	return found
}

// partitions is what must not change about a repartition topic: a number that was given, since keys move when it changes.
func partitions(t *graph.Topic) string { return strconv.Itoa(t.Partitions) }
