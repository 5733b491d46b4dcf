package store

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by a DB that was closed: its task has left this process or was opened anew.
var ErrClosed = errors.New("store: closed, its task has ended; do not keep a store in a goroutine that outlives its task")

// A FormatError says that a state directory was written in a format this version does not know, by a newer version or
// by another program. The state can be removed: it is restored from the changelogs.
type FormatError struct {
	Dir   string // the directory
	Found string // the format found
	Known string // the formats this version reads
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("store: %s has format %s, this version knows %s: run the version that wrote it, or remove the directory to restore its state from the changelogs", e.Dir, e.Found, e.Known)
}

// A CorruptError says that the files of a state directory are damaged. The state can be set aside: it is restored from
// the changelogs.
type CorruptError struct {
	Dir string // the directory
	Err error  // what is wrong
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("store: %s is damaged: %v: set the directory aside to restore its state from the changelogs", e.Dir, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// A LockedError says that another process, or another database of this one, has the directory open.
type LockedError struct {
	Dir string // the directory
	Err error  // what the lock said
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("store: %s is in use: %v: stop the other process or give this one a state directory of its own", e.Dir, e.Err)
}

func (e *LockedError) Unwrap() error { return e.Err }
