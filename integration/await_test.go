package integration

import (
	"testing"
	"time"

	"github.com/millrace-streams/millrace/integration/internal/child"
)

// patience bounds every wait.
const patience = child.Patience

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	if !within(t, patience, so) {
		t.Fatalf("%s: not within %v", what, patience)
	}
}

// within waits for some time at most until something is so, and reports whether it came to that.
func within(t *testing.T, d time.Duration, so func() bool) bool {
	t.Helper()
	deadline := time.After(d)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			return so()
		case <-t.Context().Done():
			return false
		}
	}
	return true
}
