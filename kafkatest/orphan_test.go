package kafkatest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// orphanEnv, in the environment of a copy of this test, has it start a cluster in containers and wait to be killed.
const orphanEnv = "KAFKATEST_ORPHAN"

func beOrphan() {
	p := &plan{asked: asked{brokers: 1}}
	l, err := newLinks(1)
	if err != nil {
		panic(err)
	}
	p.links = l
	s, err := startContainers(context.Background(), p)
	if err != nil {
		panic(err)
	}
	box, ok := s.procs[0].(*box)
	if !ok {
		panic("not a container")
	}
	fmt.Println("orphan", box.id())
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its parent has gone
	os.Exit(1)
}

func TestContainersOfAKilledTestProcessAreRemovedByTheNextStart(t *testing.T) {
	each(t, []Way{Containers}, func(t *testing.T, way Option) {
		alive := Start(t, way)
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), orphanEnv+"=1")
		child.Stderr = os.Stderr
		if _, err := child.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		id := ""
		for lines := bufio.NewScanner(out); id == "" && lines.Scan(); {
			id, _ = strings.CutPrefix(lines.Text(), "orphan ")
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		if id == "" {
			t.Fatal("the child started no container")
		}
		e, err := findEngine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.docker.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{}); err != nil {
			t.Fatalf("the container did not outlive its test: %v; then there is nothing to sweep", err)
		}
		defer e.docker.Close()
		Start(t, way)
		if _, err := e.docker.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{}); err == nil {
			t.Error("the orphan is still there")
		}
		mustStillAnswer(t, alive) // the living are left alone
	})
}
