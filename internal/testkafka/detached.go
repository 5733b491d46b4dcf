package testkafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrNotUp is returned where a detached broker should be running and is not.
var ErrNotUp = errors.New("testkafka: no broker is up: start one with make kafka-up")

// Up starts a broker that stays when this process ends, in opts.Dir on opts.Port and opts.Controller, all of which must
// be set, and returns its address once it answers. Data of an earlier run in the folder is kept. If one is up already,
// its address is returned and started is false.
func Up(ctx context.Context, kit Kit, opts Options) (addr string, started bool, err error) {
	if opts.Dir == "" || opts.Port == 0 || opts.Controller == 0 {
		return "", false, errors.New("testkafka: Up needs a folder and two ports")
	}
	if addr, err := Running(opts.Dir); err == nil {
		return addr, false, nil
	} else if !errors.Is(err, ErrNotUp) {
		return "", false, err
	}
	b, err := open(kit, opts)
	if err != nil {
		return "", false, err
	}
	defer b.lock.Close() // the broker holds it on
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := b.prepare(ctx); err != nil {
		return "", false, err
	}
	if _, err := b.launch(ctx, detachedAttr()); err != nil {
		return "", false, err
	}
	return b.Addr(), true, nil
}

// Running returns the address of the broker that Up started in a folder. It fails with ErrNotUp if there is none.
func Running(dir string) (addr string, err error) {
	_, addr, err = readPID(dir)
	return addr, err
}

// Down stops the broker that Up started in a folder and returns when its process has ended. It fails with ErrNotUp if
// there is none. It signals only the process whose id Up wrote, and only while that process holds the folder's lock.
func Down(ctx context.Context, dir string) error {
	pid, addr, err := readPID(dir)
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("testkafka: cannot stop the broker on %s: %w", addr, err)
	}
	defer process.Release()
	if err := process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("testkafka: cannot stop the broker on %s, process %d: %w", addr, pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if _, err := Running(dir); errors.Is(err, ErrNotUp) {
			return nil
		} else if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("testkafka: the broker on %s, process %d, does not stop: %w; see %s", addr, pid, context.Cause(ctx), filepath.Join(dir, "log"))
		}
	}
}

func writePID(dir string, pid int, addr string) error {
	if err := os.WriteFile(filepath.Join(dir, "pid"), fmt.Appendf(nil, "%d %s\n", pid, addr), 0o644); err != nil {
		return fmt.Errorf("testkafka: cannot note the broker's process id: %w", err)
	}
	return nil
}

// readPID returns what writePID wrote, if that process still runs: if the folder's lock is held.
func readPID(dir string) (pid int, addr string, err error) {
	lock := filepath.Join(dir, "lock")
	if _, err := os.Stat(lock); errors.Is(err, os.ErrNotExist) {
		return 0, "", ErrNotUp
	}
	f, err := lockFile(lock, false)
	if err == nil {
		f.Close()
		return 0, "", ErrNotUp
	}
	if !errors.Is(err, errLocked) {
		return 0, "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		return 0, "", fmt.Errorf("testkafka: a broker is being started in %s: %w", dir, err)
	}
	if _, err := fmt.Sscanf(string(text), "%d %s\n", &pid, &addr); err != nil {
		return 0, "", fmt.Errorf("testkafka: %s/pid is not a process id and an address: %w", dir, err)
	}
	return pid, addr, nil
}
