package statedir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// maxSlots bounds the search for a free slot.
const maxSlots = 1000

const lockFile = "lock"

// claim takes the lock of the first slot that nobody holds.
func claim(root string) (*Dir, error) {
	for i := range maxSlots {
		path := filepath.Join(root, strconv.Itoa(i))
		if err := makeAll(path); err != nil {
			return nil, err
		}
		l, err := takeLock(filepath.Join(path, lockFile))
		switch {
		case errors.Is(err, errHeld):
			continue
		case err != nil:
			return nil, &AccessError{filepath.Join(path, lockFile), err}
		}
		return &Dir{path: path, lock: l}, nil
	}
	return nil, fmt.Errorf("statedir: all %d slots of %s are held by running processes: use another directory", maxSlots, root)
}

// checkOwner returns a *ForeignError if a slot of root belongs to another application. Slots whose owner cannot be read
// are left to the process that takes them.
func checkOwner(root, applicationID string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return &AccessError{root, err}
	}
	for _, e := range entries {
		if _, err := strconv.ParseUint(e.Name(), 10, 31); err != nil {
			continue
		}
		path := filepath.Join(root, e.Name())
		if m, err := readMarker(filepath.Join(path, markerFile)); err == nil && m.Application != applicationID {
			return &ForeignError{path, m.Application, applicationID}
		}
	}
	return nil
}

// errHeld is what takeLock returns when another process, or another Dir of this one, holds the lock.
var errHeld = errors.New("statedir: held by another process")
