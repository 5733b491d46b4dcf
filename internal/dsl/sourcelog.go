package dsl

import (
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// LogInSource has the topic of a source serve as changelog of the store that keeps it, if the store asks for it, and
// reports what stands against it: rows that come back from the topic must be those that were stored.
func LogInSource[K, V any](source Handle[K, V], d *decl.Store, call string) {
	if d == nil || !d.FromSource {
		return
	}
	n, why := source.n, error(nil)
	switch {
	case len(n.Topics) != 1 || n.Topics[0].Pattern != "":
		why = errors.New("store.SourceChangelog needs a table of one topic")
	case n.Source.Time != nil:
		why = errors.New("store.SourceChangelog restores the records' own times: leave TimeFrom out")
	case n.Source.Start.Kind != graph.Earliest:
		why = errors.New("store.SourceChangelog restores all rows of the topic: leave StartAt out")
	case d.NoChangelog:
		why = errors.New("store.SourceChangelog and store.NoChangelog contradict each other: leave one out")
	case d.LRU != 0 || d.TTL != 0:
		why = errors.New("store.LRU and store.TTL delete rows that the source topic has: leave store.SourceChangelog out")
	case len(d.TopicConfig) > 0:
		why = errors.New("the source topic is not made by the app: leave store.TopicConfig out")
	}
	if why != nil {
		source.b.Report(graph.Caller(), call, fmt.Errorf("store %q: %w", d.Name, why))
		d.FromSource = false
		return
	}
	d.Source = n.Topics[0].Name
}
