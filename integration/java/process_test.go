package java

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/internal/testkafka"
)

// childEnv makes a process of this test binary the shop, by Millrace: java shop.Main's arguments APP BROKERS DIR.
const childEnv = "MILLRACE_SHOP"

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		if err := beShop(strings.Fields(args)); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("closed")
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// beShop runs the shop until SIGTERM.
func beShop(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	top, err := shop(args[0])
	if err != nil {
		return err
	}
	app, err := millrace.New(top, millrace.Config{
		ApplicationID:  args[0],
		Brokers:        strings.Split(args[1], ","),
		StateDir:       args[2],
		OnStop:         millrace.StopLeave, // Kafka Streams cannot join a group that still has other members
		CommitInterval: commitInterval,
		SessionTimeout: sessionTimeout,
		Workers:        2,
		Memory:         32 << 20,
		Logger:         slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Events: &millrace.Events{
			State: func(_, to millrace.State) { fmt.Println("state", to) },
			Restoring: func(r millrace.RestoreInfo) {
				if r.Done {
					fmt.Printf("restored %s %s %d %q\n", r.Task, r.Store, r.Records, r.Wiped)
				}
			},
			Recovered: func(r millrace.RecoverInfo) { fmt.Println("recovered", r.Err) },
		},
	})
	if err != nil {
		return err
	}
	return app.Run(ctx)
}

const (
	commitInterval = time.Second     // long enough for a transaction to be found open
	sessionTimeout = 6 * time.Second // after which the group forgets a dead process
)

// A process is the shop being run, by Kafka Streams or by Millrace.
type process struct {
	*child.Child
	t *testing.T
}

// A place is where the shop runs: one application id, with a state directory for each of the two that run it.
type place struct {
	t       *testing.T
	app     string
	brokers []string
	dir     string
	java    testkafka.Program
	admin   *kadm.Client
}

// kafkaStreams starts the shop of src/main/java.
func (p *place) kafkaStreams() *process {
	args := []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.producer.internals.Sender=error",
		"-cp", p.java.ClassPath, "shop.Main", p.app, strings.Join(p.brokers, ","), filepath.Join(p.dir, "java"),
		fmt.Sprintf("commit.interval.ms=%d", commitInterval.Milliseconds()),
		"statestore.cache.max.bytes=0",
		"group.protocol=" + *protocol}
	if *protocol == "classic" {
		args = append(args, fmt.Sprintf("session.timeout.ms=%d", sessionTimeout.Milliseconds())) // of the other kind the brokers have it
	}
	return p.run("Kafka Streams", exec.Command(p.java.Java, args...))
}

// millrace starts the shop of topology_test.go.
func (p *place) millrace() *process {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s", childEnv, p.app, strings.Join(p.brokers, ","), filepath.Join(p.dir, "millrace")))
	return p.run("Millrace", cmd)
}

func (p *place) run(name string, cmd *exec.Cmd) *process {
	p.t.Helper()
	return &process{child.Start(p.t, name, cmd), p.t}
}

// stop ends the process in order, and fails the test if it does not end so.
func (c *process) stop() {
	c.t.Helper()
	c.Stop(c.t)
	c.keptState()
	if len(c.Said("closed")) == 0 || len(c.Said("error")) > 0 {
		c.t.Errorf("%s did not end in order: %q", c.Name, c.Said(""))
	}
}

// keptState fails the test if Millrace threw state away: what another has written since is read on top of it.
func (c *process) keptState() {
	for _, line := range c.Said("restored") {
		if !strings.HasSuffix(line, `""`) {
			c.t.Errorf("%s wiped state: %s", c.Name, line)
		}
	}
}
