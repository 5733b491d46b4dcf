package testkafka

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const up = "echo '[today] INFO [KafkaRaftServer nodeId=1] Kafka Server started'\nexec sleep 300\n"

func TestBrokerThatFindsItsPortTakenChoosesAnother(t *testing.T) {
	dir := t.TempDir()
	tried := filepath.Join(dir, "tried")
	java := script(t, "java", "if [ ! -e "+tried+" ]; then cp server.properties "+tried+"; echo 'java.net.BindException: Address already in use'; exit 1; fi\n"+up)
	b, err := Start(t.Context(), Kit{Java: java}, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if first := read(t, tried); strings.Contains(first, "advertised.listeners=PLAINTEXT://"+b.Addr()+"\n") {
		t.Errorf("the second start used the port of the first, %s", b.Addr())
	}
}

func TestBrokerNeverLeavesThePortItWasGiven(t *testing.T) {
	starts := filepath.Join(t.TempDir(), "starts")
	java := script(t, "java", "echo start >>"+starts+"; echo 'java.net.BindException: Address already in use'; exit 1\n")
	_, err := Start(t.Context(), Kit{Java: java}, Options{Dir: t.TempDir(), Port: 19991})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:19991 ended while starting") || !strings.Contains(err.Error(), "BindException") {
		t.Errorf("Start on a port that is taken = %v; want an error with the port and the broker's own words", err)
	}
	if got := read(t, starts); got != "start\n" {
		t.Errorf("%d starts on the same port; want one", strings.Count(got, "start"))
	}
}

func TestRestartedBrokerNeverMoves(t *testing.T) {
	dir := t.TempDir()
	java := script(t, "java", "if [ -e "+dir+"/down ]; then echo 'java.net.BindException: Address already in use'; exit 1; fi\n"+up)
	b, err := Start(t.Context(), Kit{Java: java}, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	addr := b.Addr()
	b.Kill()
	if err := os.WriteFile(filepath.Join(dir, "down"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err == nil || b.Addr() != addr {
		t.Errorf("restart on a taken port = %v on %s; want an error, since clients know %s", err, b.Addr(), addr)
	}
}

func TestBrokerThatIsNeverReadyIsKilled(t *testing.T) {
	dir := t.TempDir()
	java := script(t, "java", "echo still loading\nexec sleep 300\n")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // give up once it has begun
		defer cancel()
		for b, _ := os.ReadFile(filepath.Join(dir, "log")); len(b) == 0; b, _ = os.ReadFile(filepath.Join(dir, "log")) {
			runtime.Gosched()
		}
	}()
	_, _, err := Up(ctx, Kit{Java: java}, Options{Dir: dir, Port: 19991, Controller: 19992})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "still loading") {
		t.Errorf("Up = %v; want the context's error with the end of the log", err)
	}
	if lock, err := lockFile(filepath.Join(dir, "lock"), false); err != nil {
		t.Errorf("the process still holds its lock: %v", err)
	} else {
		lock.Close()
	}
}

func TestTwoBrokersCannotShareAFolder(t *testing.T) {
	dir := t.TempDir()
	b, err := Start(t.Context(), Kit{Java: script(t, "java", up)}, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := Start(t.Context(), b.kit, Options{Dir: dir}); !errors.Is(err, errLocked) {
		t.Errorf("a second broker on the folder: %v; want it refused", err)
	}
}

func TestSweepRemovesFoldersOfDeadTestProcessesOnly(t *testing.T) {
	temp, hourAgo := t.TempDir(), time.Now().Add(-time.Hour)
	folder := func(name string, locked bool, age time.Time) string {
		dir := filepath.Join(temp, tempPrefix+name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		lock, err := lockFile(filepath.Join(dir, "lock"), false)
		if err != nil {
			t.Fatal(err)
		}
		if locked {
			t.Cleanup(func() { lock.Close() })
		} else {
			lock.Close()
		}
		if err := os.Chtimes(filepath.Join(dir, "lock"), age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dead := folder("dead", false, hourAgo)
	stay := []string{folder("alive", true, hourAgo), folder("just-made", false, time.Now()), folder("kept-log", false, hourAgo)}
	if err := os.Remove(filepath.Join(stay[2], "lock")); err != nil {
		t.Fatal(err)
	}

	sweep(temp)
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a dead process is still there")
	}
	for _, dir := range stay {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("swept away: %v", err)
		}
	}
}
