package statedir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childEnv holds the root that a copy of the test program opens, to be killed with it.
const childEnv = "STATEDIR_TEST_CHILD"

func TestMain(m *testing.M) {
	if root := os.Getenv(childEnv); root != "" {
		os.Exit(child(root))
	}
	os.Exit(m.Run())
}

// child opens a slot, says which, and waits for its end.
func child(root string) int {
	d, err := Open(root, "app")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := d.RecordWorkers(5); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(d.Path(), d.ProcessID())
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or the test ends
	return 0
}

func TestSlotOfAKilledProcessIsFreeAgain(t *testing.T) {
	root := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childEnv+"="+root)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	path, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if err != nil || !ok || path != filepath.Join(root, "0") {
		t.Fatalf("child: %q, %v", line, err)
	}

	second := open(t, root)
	if second.Path() != filepath.Join(root, "1") || second.ProcessID() == id {
		t.Errorf("beside the first process: %s in %s", second.ProcessID(), second.Path())
	}

	if err := cmd.Process.Kill(); err != nil { // SIGKILL: it closes nothing
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	_ = in.Close()
	again := open(t, root)
	if again.Path() != path || again.ProcessID() != id || again.MaxWorker() != 5 {
		t.Errorf("after the kill: %s in %s with workers up to %d; was %s in %s", again.ProcessID(), again.Path(), again.MaxWorker(), id, path)
	}
}
