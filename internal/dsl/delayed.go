package dsl

import (
	"errors"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
)

// Delayed returns the table of the changes of another that h sends on later, kept until then in a store. Its rows are those of
// the other but for what waits: through makes the look-up of one task from that of the other table.
func Delayed[K, V any](from Table[K, V], h Handle[K, V], d *decl.Store, through func(env graph.Env, n *graph.Node, look View[K, V]) View[K, V]) Table[K, V] {
	t := Table[K, V]{h: h, bases: append([]*decl.Store{d}, from.bases...), old: true}
	if from.view != nil {
		t.view = func(env graph.Env, n *graph.Node) View[K, V] { return through(env, n, from.View(env, n)) }
	}
	return t
}

var errNoWindow = errors.New("no windows are closed before it: fold a stream by windows first, or use Suppress with a time")

// Closing returns how long after a window's end the last results of it come out of a node: the grace of the windowed folds
// before it, the longest if there are several. There must be one on each way to it.
func Closing(n *graph.Node) (time.Duration, error) {
	if n.Close != nil {
		return n.Close.Grace, nil
	}
	if len(n.Parents) == 0 {
		return 0, errNoWindow
	}
	var longest time.Duration
	for _, p := range n.Parents {
		d, err := Closing(p)
		if err != nil {
			return 0, err
		}
		longest = max(longest, d)
	}
	return longest, nil
}
