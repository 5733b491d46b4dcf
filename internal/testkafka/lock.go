//go:build unix

package testkafka

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("testkafka: locked by another process")

// TryLock locks a file, which is made if it is not there. It fails where another process holds it. The lock ends when the
// file is closed, or the process.
func TryLock(path string) (*os.File, error) { return lockFile(path, false) }

// lockFile opens a file and locks it, waiting if another process has it and wait is true, else failing with errLocked.
// The lock belongs to the open file: a child process that is given the file holds it too, and it ends when the last of
// them has closed it or died. So a lock that is free says that a broker is gone, where a process id may have been
// given to somebody else.
func lockFile(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("testkafka: cannot lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			err = errLocked
		}
		f.Close()
		return nil, fmt.Errorf("testkafka: cannot lock %s: %w", path, err)
	}
}

func detachedAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
