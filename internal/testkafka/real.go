package testkafka

import (
	"errors"
	"os"
	"testing"
)

// New starts a Kafka for this test alone, which may stop it and start it again. It ends with the test. Where Kafka
// cannot be had, t is skipped, or fails if MILLRACE_REQUIRE_KAFKA is set.
func New(t testing.TB, opts Options) *Broker {
	t.Helper()
	kit, err := FindKit(t.Context())
	if err != nil {
		leaveOut(t, err)
	}
	b, err := Start(t.Context(), kit, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(t.Failed()); err != nil {
			t.Error(err)
		}
	})
	showLog(t, b)
	return b
}

// leaveOut ends the test: a machine that cannot run Kafka is no failure, anything else is.
func leaveOut(t testing.TB, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Missing](err); ok && !Required() {
		t.Skip(err)
	}
	t.Fatal(err)
}

// showLog has a failing test print what the broker said meanwhile.
func showLog(t testing.TB, b *Broker) {
	t.Helper()
	var from int64
	if info, err := os.Stat(b.LogFile()); err == nil {
		from = info.Size()
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		log, err := os.ReadFile(b.LogFile())
		if err != nil {
			t.Logf("testkafka: the broker's log is gone: %v", err)
			return
		}
		t.Logf("the broker's log is %s; since the test began it ends:\n%s", b.LogFile(), lastLines(string(log[min(from, int64(len(log))):]), 40))
	})
}
