package integration

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/topology"
)

// children are the applications a child process can be, by name.
var children = map[string]func() (*topology.Topology, error){
	"count":     countTopology,
	"deploy-v1": deployV1,
	"deploy-v2": deployV2,
	"soak":      soakTopology,
}

func TestMain(m *testing.M) {
	if name := os.Getenv("MILLRACE_CHILD"); name != "" {
		if err := beChild(name); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// leaving is in the environment of a child that leaves its group when it ends.
const leaving = "MILLRACE_LEAVE=1"

// beChild runs an application until SIGTERM, and tells what happens.
func beChild(name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	top, err := children[name]()
	if err != nil {
		return err
	}
	config := millrace.Config{
		ApplicationID: os.Getenv("MILLRACE_APP"),
		Brokers:       strings.Split(os.Getenv("MILLRACE_BROKERS"), ","),
		StateDir:      os.Getenv("MILLRACE_DIR"),
		Workers:       2,
		Memory:        32 << 20,
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Client:        []kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())},
		Events: &millrace.Events{
			State:    func(_, to millrace.State) { fmt.Println("state", to) },
			Assigned: func(tasks []topology.TaskID) { fmt.Println("assigned", tasks) },
			Revoked:  func(tasks []topology.TaskID) { fmt.Println("revoked", tasks) },
			Restoring: func(r millrace.RestoreInfo) {
				if r.Done {
					fmt.Printf("restored %s %s %d %q\n", r.Task, r.Store, r.Records, r.Wiped)
				}
			},
			Recovered: func(r millrace.RecoverInfo) { fmt.Println("recovered", r.Err) },
			Hanging:   func(h millrace.HangInfo) { fmt.Println("hanging", h) },
		},
	}
	if os.Getenv("MILLRACE_LEAVE") != "" {
		config.OnStop = millrace.StopLeave
	}
	app, err := millrace.New(top, config)
	if err != nil {
		return err
	}
	return app.Run(ctx)
}

// start starts an application on a directory.
func start(t *testing.T, name, app, dir string, brokers []string, env ...string) *child.Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MILLRACE_CHILD="+name, "MILLRACE_APP="+app, "MILLRACE_DIR="+dir, "MILLRACE_BROKERS="+strings.Join(brokers, ","))
	cmd.Env = append(cmd.Env, env...)
	return child.Start(t, name+" in "+dir, cmd)
}

// tasks returns the tasks that run in the process, by what it has said of them, in order.
func tasks(c *child.Child) []string {
	var list []string
	for _, l := range c.Said("") {
		verb, rest, _ := strings.Cut(l, " ")
		for _, id := range strings.Fields(strings.Trim(rest, "[]")) {
			switch verb {
			case "assigned":
				list = append(list, id)
			case "revoked":
				list = slices.DeleteFunc(list, func(have string) bool { return have == id })
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// running waits until all that the process has to do runs.
func running(t *testing.T, c *child.Child) {
	t.Helper()
	c.Until(t, "running", func() bool { return len(c.Said("state running")) > 0 })
}
