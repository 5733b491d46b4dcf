package testkafka

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestUpThenDown(t *testing.T) {
	dir := t.TempDir()
	opts, kit := Options{Dir: dir, Port: 19991, Controller: 19992}, Kit{Java: script(t, "java", up)}
	if _, err := Running(dir); !errors.Is(err, ErrNotUp) {
		t.Fatalf("Running in an empty folder = %v; want ErrNotUp", err)
	}
	for i, want := range []bool{true, false} {
		addr, started, err := Up(t.Context(), kit, opts)
		if err != nil || addr != "127.0.0.1:19991" || started != want {
			t.Fatalf("Up number %d = %s, %v, %v; want started %v", i+1, addr, started, err, want)
		}
	}
	if addr, err := Running(dir); err != nil || addr != "127.0.0.1:19991" {
		t.Errorf("Running = %s, %v", addr, err)
	}
	if err := Down(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), dir); !errors.Is(err, ErrNotUp) {
		t.Errorf("Down twice = %v; want ErrNotUp", err)
	}
}

func TestDownSparesTheProcessThatGotTheIdLater(t *testing.T) {
	stranger := exec.Command("sleep", "300")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lock, err := lockFile(filepath.Join(dir, "lock"), false)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close() // the broker died long ago
	if err := writePID(dir, stranger.Process.Pid, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), dir); !errors.Is(err, ErrNotUp) {
		t.Errorf("Down = %v; want ErrNotUp", err)
	}
	// Ending it ourselves is the proof that it was alive.
	if err := stranger.Process.Signal(os.Interrupt); err != nil {
		t.Errorf("process %s of a stranger was ended: %v", strconv.Itoa(stranger.Process.Pid), err)
	}
	if state, err := stranger.Process.Wait(); err != nil || state.String() != "signal: interrupt" {
		t.Errorf("the stranger ended by %v, %v; want our interrupt", state, err)
	}
}

func TestDataIsFormattedOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := format(data, NewClusterID(), 1); err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(data, "meta.properties"))
	if err := format(data, NewClusterID(), 1); err != nil {
		t.Fatal(err)
	}
	if after := read(t, filepath.Join(data, "meta.properties")); after != before {
		t.Errorf("formatted again: %s became %s, and the broker refuses its data", before, after)
	}
}

func TestSettingsOfATestComeLast(t *testing.T) {
	got := properties("a=1\n", "/data", 1, 2, 3, map[string]string{"b": "3", "a": "2"})
	if want := "a=1\n\nnode.id=3\nlisteners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\nadvertised.listeners=PLAINTEXT://127.0.0.1:1\ncontroller.quorum.voters=3@127.0.0.1:2\nlog.dirs=/data\na=2\nb=3\n"; got != want {
		t.Errorf("properties:\n%s\nwant:\n%s", got, want)
	}
}
