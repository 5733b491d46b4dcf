package statedir

import (
	"errors"
	"fmt"
	"syscall"
)

// A lock is a file opened without sharing: nobody else can open it until the handle is closed, which the system does when
// the process ends, however it ends.
type lock struct{ h syscall.Handle }

// errSharing is ERROR_SHARING_VIOLATION.
const errSharing = syscall.Errno(32)

func takeLock(path string) (*lock, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	return &lock{h}, nil
}

func (l *lock) release() error {
	if err := syscall.CloseHandle(l.h); err != nil {
		return fmt.Errorf("statedir: release the lock: %w", err)
	}
	return nil
}
