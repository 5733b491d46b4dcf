//go:build synctests

package millrace_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
)

// TestAppWaitsForSessionsOfTheDeadOfAnotherKind: a Kafka Streams application was stopped, which by default does not leave its group.
func TestAppWaitsForSessionsOfTheDeadOfAnotherKind(t *testing.T) {
	besideForeign(t, func(t *testing.T, member *kgo.Client, app *millrace.App, ended chan error) {
		member.Close() // a static member: it stays in the group for its session of 45 s
		began := time.Now()
		if err := app.WaitFor(t.Context(), millrace.Running); err != nil {
			t.Fatalf("%v: %v", err, <-ended)
		}
		if waited := time.Since(began); waited < 30*time.Second {
			t.Errorf("the app ran after %v: the group was not closed to it", waited)
		}
	})
}

// TestAppEndsBesideTheLivingOfAnotherKind: two applications have one id by mistake.
func TestAppEndsBesideTheLivingOfAnotherKind(t *testing.T) {
	besideForeign(t, func(t *testing.T, member *kgo.Client, app *millrace.App, ended chan error) {
		time.Sleep(5 * time.Second) // virtual time
		if err := app.Ready(); err == nil || !strings.Contains(err.Error(), "another protocol") {
			t.Errorf("ready: %v, want what it waits for", err)
		}
		err := <-ended
		ended <- nil
		if !errors.Is(err, kerr.InconsistentGroupProtocol) || !strings.Contains(err.Error(), "is another kind of application running") {
			t.Errorf("Run = %v, want an error that says so", err)
		}
		member.Close()
	})
}

// besideForeign starts an app in a group that has a member of another kind, and ends it after the test.
func besideForeign(t *testing.T, test func(t *testing.T, member *kgo.Client, app *millrace.App, ended chan error)) {
	synctest.Test(t, func(t *testing.T) {
		vn := &kfake.VirtualNetwork{}
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(vn.Listen))
		if err != nil {
			t.Fatal(err)
		}
		defer kafka.Close()
		joined := make(chan struct{}, 1)
		member, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.Dialer(vn.DialContext),
			kgo.ConsumerGroup("app"), kgo.ConsumeTopics("in"), kgo.Balancers(kgo.RangeBalancer()), kgo.InstanceID("foreign"), kgo.SessionTimeout(45*time.Second),
			kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { joined <- struct{}{} }))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kadm.NewClient(member).CreateTopics(t.Context(), 1, 1, nil, "in", "out"); err != nil {
			t.Fatal(err)
		}
		<-joined

		app, err := millrace.New(copyTo("out"), millrace.Config{
			ApplicationID: "app", Brokers: kafka.ListenAddrs(), StateDir: filepath.Join(t.TempDir(), "state"), Workers: 1, Memory: 16 << 20,
			Logger: slog.New(slog.DiscardHandler), Client: []kgo.Opt{kgo.Dialer(vn.DialContext)},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- app.Run(ctx) }()
		test(t, member, app, ended)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
