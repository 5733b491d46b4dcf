package testkafka

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Only on Linux does the kernel kill a child when its parent dies.

func TestBrokerDiesWithItsTestProcess(t *testing.T) {
	dir := t.TempDir()
	if err := os.Rename(script(t, "java", up), filepath.Join(dir, "java")); err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed

	// The broker holds the lock until it is gone; if it lived on, this would wait until the test times out.
	lock, err := lockFile(filepath.Join(dir, "lock"), true)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
}
