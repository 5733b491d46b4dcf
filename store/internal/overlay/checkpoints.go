package overlay

import (
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/store"
)

// checkpoints are the newest of each changelog.
type checkpoints struct{ m map[string]store.Checkpoint }

func (c *checkpoints) put(cps ...store.Checkpoint) {
	if c.m == nil && len(cps) > 0 {
		c.m = map[string]store.Checkpoint{}
	}
	for _, cp := range cps {
		c.m[cp.Changelog] = cp
	}
}

// stamp sets the stamps of all.
func (c *checkpoints) stamp(stamp int64) {
	for name, cp := range c.m {
		cp.Stamp = stamp
		c.m[name] = cp
	}
}

// all returns them in order of their names.
func (c *checkpoints) all() []store.Checkpoint {
	out := make([]store.Checkpoint, 0, len(c.m))
	for _, cp := range c.m {
		out = append(out, cp)
	}
	slices.SortFunc(out, func(a, b store.Checkpoint) int { return strings.Compare(a.Changelog, b.Changelog) })
	return out
}
