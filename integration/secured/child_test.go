package secured

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
)

// start starts the counting app in a process of its own, on a directory.
func start(t *testing.T, c *kafkatest.Cluster, app, dir string) *child.Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MILLRACE_CHILD="+app, "MILLRACE_DIR="+dir, "MILLRACE_BROKERS="+strings.Join(c.Brokers(), ","))
	return child.Start(t, "the app", cmd)
}

// runs waits until the app runs: before, it may not even know what to do at SIGTERM.
func runs(t *testing.T, p *child.Child) {
	t.Helper()
	p.Until(t, "running", func() bool { return len(p.Said("running")) > 0 })
}
