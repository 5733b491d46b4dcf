package millrace

import (
	"maps"
	"sync"
)

// A Drop is a reason for which records went no further, and the step where they ended: a missing key where equal keys must meet
// ("null-key"), a policy that said Skip ("skipped"), a negative timestamp …
type Drop struct{ Node, Reason string }

// drops counts dropped records.
type drops struct {
	mu sync.Mutex
	n  map[Drop]int64
}

func (d *drops) count(node, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == nil {
		d.n = map[Drop]int64{}
	}
	d.n[Drop{node, reason}]++
}

// Dropped returns how many records this process has dropped since Run began, by step and reason. Work that was taken back and done
// again counts again.
func (a *App) Dropped() map[Drop]int64 {
	a.drops.mu.Lock()
	defer a.drops.mu.Unlock()
	return maps.Clone(a.drops.n)
}
