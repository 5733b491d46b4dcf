package secured

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace"
)

func TestMain(m *testing.M) {
	if app := os.Getenv("MILLRACE_CHILD"); app != "" {
		if err := beChild(app); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// beChild runs the counting app until SIGTERM, and tells which requests it has sent in which version.
func beChild(app string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	top, err := countTopology(app)
	if err != nil {
		return err
	}
	tap := &tap{first: func(key, version int16) { fmt.Println("sent", key, version) }}
	a, err := millrace.New(top, millrace.Config{
		ApplicationID: app, Brokers: strings.Split(os.Getenv("MILLRACE_BROKERS"), ","), StateDir: os.Getenv("MILLRACE_DIR"), Workers: 2, Memory: 32 << 20,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Client: []kgo.Opt{kgo.Dialer(tap.dial)},
		Events: &millrace.Events{State: func(_, to millrace.State) { fmt.Println(to) }},
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
