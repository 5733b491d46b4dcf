package testkafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// shared is the broker of this test process. It is the one thing here that outlives a test; StopAfter ends it.
var shared struct {
	sync.Mutex
	tried  bool
	broker *Broker
	err    error
}

// Real returns the addresses of real brokers: those KAFKA_BROKERS names, else of a Kafka that is started for this test
// process when it is first asked for. Tests share it: take names of topics, groups and applications from Name. Where
// Kafka cannot be had, t is skipped, or fails if MILLRACE_REQUIRE_KAFKA is set.
func Real(t testing.TB) []string {
	t.Helper()
	if named := os.Getenv("KAFKA_BROKERS"); named != "" {
		return strings.Split(named, ",")
	}
	b := sharedBroker(t)
	showLog(t, b)
	return []string{b.Addr()}
}

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

func sharedBroker(t testing.TB) *Broker {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.tried {
		shared.tried = true
		var kit Kit
		// Not the test's context: the broker outlives it.
		if kit, shared.err = FindKit(context.Background()); shared.err == nil {
			shared.broker, shared.err = Start(context.Background(), kit, Options{})
		}
	}
	if shared.err != nil {
		leaveOut(t, shared.err)
	}
	return shared.broker
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

// StopAfter makes a testing.M that, once its tests have run, ends the broker Real started. The broker's log stays if they
// failed. A package that uses Real and looks for leaked goroutines needs it:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(testkafka.StopAfter(m)) }
func StopAfter(m interface{ Run() int }) Main { return Main{m} }

// Main is what StopAfter returns.
type Main struct{ m interface{ Run() int } }

// Run runs the tests and returns their exit code.
func (m Main) Run() int {
	code := m.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.broker != nil {
		if err := shared.broker.close(code != 0); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		shared.broker, shared.tried = nil, false
	}
	return code
}
