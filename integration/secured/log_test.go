package secured

import (
	"log/slog"
	"testing"

	"github.com/millrace-streams/millrace/integration/internal/child"
)

// quietly returns a logger that is heard only if the test fails, and what it is told.
func quietly(t *testing.T) (*slog.Logger, *child.Tail) {
	tail := &child.Tail{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the app said at the end:\n%s", tail)
		}
	})
	return slog.New(slog.NewTextHandler(tail, &slog.HandlerOptions{Level: slog.LevelDebug})), tail
}
