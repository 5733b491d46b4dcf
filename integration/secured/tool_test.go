package secured

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

// tools returns what runs the commands of Kafka's distribution, by their class. A machine that cannot have them leaves the test out,
// unless a Kafka is required.
func tools(t *testing.T) func(class string, args ...string) {
	t.Helper()
	kit, err := testkafka.FindKitOf(t.Context(), testkafka.Version)
	if err == nil {
		_, err = kit.FetchTools(t.Context())
	}
	if missing, ok := errors.AsType[*testkafka.Missing](err); ok && !testkafka.Required() {
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(class string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := kit.Tool(ctx, class, args...); err != nil {
			t.Fatal(err)
		}
	}
}
