package millrace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/txn"
)

// connectPatience is how long a starting app waits for any broker to answer.
const connectPatience = 10 * time.Second

// clientOptions are those of every client: how to reach the cluster, the user's own, and what must hold everywhere.
func (p *process) clientOptions(role string) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ClientID("millrace-" + p.cfg.ApplicationID + "-" + role),
		kgo.WithLogger(kgoLog{p.log.With("client", role)}),
	}
	opts = append(opts, p.cfg.Client...)
	return append(opts,
		kgo.SeedBrokers(p.cfg.Brokers...),
		// A leader that moved is looked for at once: with the default, NOT_LEADER costs 5 s.
		kgo.MetadataMinAge(100*time.Millisecond),
		kgo.MaxVersions(txn.Versions(p.v2)),
	)
}

// readOptions are those of every client that reads records. The default FetchMaxWait of 5 s would delay each newly added
// partition by as much. Control records are kept, for the position behind them.
func readOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(250 * time.Millisecond),
		// No silent jump: an offset that is gone is an error.
		kgo.ConsumeResetOffset(kgo.NoResetOffset().AtStart()),
	}
}

// connect waits until a broker answers.
func (p *process) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	var last error
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		// A connection that is accepted and closed at once (a load balancer before a dead broker) is fatal for some requests
		// of a client; Ping is not one of them.
		err := p.admin.Ping(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, kerr.SaslAuthenticationFailed) {
			return fmt.Errorf("millrace: the cluster does not know the user, or not with this password: look at Config.Client: %w", err)
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if context.Cause(ctx) == context.Canceled {
				return context.Canceled
			}
			return &UnreachableError{p.cfg.Brokers, connectPatience, last}
		case <-time.After(wait):
		}
	}
	return nil
}

// kgoLog hands the client's log to slog: its warnings are debug for us, since what matters comes back as an error.
type kgoLog struct{ log *slog.Logger }

func (l kgoLog) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelError
}

func (l kgoLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	if level == kgo.LogLevelError {
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, "kafka client: "+msg, keyvals...)
}
