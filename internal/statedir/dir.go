package statedir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

const (
	tasksDir    = "tasks"
	asideDir    = "aside"
	removingDir = "removing"
)

// A Dir is the slot of one process in a state directory. Methods on different tasks may be called at once; RecordWorkers
// and Close may not.
type Dir struct {
	path    string
	lock    *lock
	marker  marker
	warning string
	memory  bool // nothing outlives the process
	closed  atomic.Bool
}

// Open takes the first free slot of the state directory root for a process of the application, and makes both if they are
// not there. With an empty root it works in a temporary directory, which Close removes: see Warning.
//
// It fails with a *ForeignError if the directory belongs to another application, an *AccessError if it cannot be written,
// and a *MarkerError if the file that says whose slot it is cannot be read. Then it has changed nothing that was there.
func Open(root, applicationID string) (*Dir, error) {
	if applicationID == "" {
		return nil, errors.New("statedir: the application id is empty")
	}
	if root == "" {
		return openTemporary(applicationID)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, &AccessError{root, err}
	}
	if err := makeAll(root); err != nil {
		return nil, err
	}
	// Nothing is created in a directory that is somebody else's.
	if err := checkOwner(root, applicationID); err != nil {
		return nil, err
	}
	d, err := claim(root)
	if err != nil {
		return nil, err
	}
	if err := d.begin(root, applicationID); err != nil {
		return nil, errors.Join(err, d.lock.release())
	}
	return d, nil
}

// begin reads or makes what is in a slot that this process holds.
func (d *Dir) begin(root, applicationID string) error {
	m, err := readMarker(d.markerPath())
	isNew := errors.Is(err, os.ErrNotExist)
	if isNew {
		m, err = d.make(applicationID)
	}
	if err != nil {
		return err
	}
	d.marker = m
	// Somebody of another application may have looked at the same time as we and found nothing either. Whoever looks last
	// sees both; the slot it has just made must not stay.
	if err := checkOwner(root, applicationID); err != nil {
		if isNew {
			err = errors.Join(err, os.Remove(d.markerPath()))
		}
		return err
	}
	for _, sub := range []string{tasksDir, asideDir, removingDir} {
		if err := makeAll(filepath.Join(d.path, sub)); err != nil {
			return err
		}
	}
	return d.sweep()
}

// make writes the marker of a new slot.
func (d *Dir) make(applicationID string) (marker, error) {
	tasks, err := os.ReadDir(filepath.Join(d.path, tasksDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return marker{}, &AccessError{d.path, err}
	}
	if len(tasks) > 0 {
		return marker{}, &MarkerError{d.markerPath(), errors.New("it is missing, but there is state beside it")}
	}
	m := newMarker(applicationID)
	return m, writeMarker(d.markerPath(), m, syncFile)
}

// sweep ends removals that a crash interrupted.
func (d *Dir) sweep() error {
	path := filepath.Join(d.path, removingDir)
	left, err := os.ReadDir(path)
	if err != nil {
		return &AccessError{path, err}
	}
	for _, e := range left {
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			return &AccessError{path, err}
		}
	}
	return nil
}

func openTemporary(applicationID string) (*Dir, error) {
	path, err := os.MkdirTemp("", "millrace-*")
	if err != nil {
		return nil, &AccessError{os.TempDir(), err}
	}
	d := &Dir{path: path, memory: true, marker: newMarker(applicationID)}
	d.warning = fmt.Sprintf("no state directory: rows are kept in %s until the process ends, and the next start restores them from the changelog topics; set Config.StateDir to a directory that stays", path)
	for _, sub := range []string{tasksDir, asideDir, removingDir} {
		if err := os.Mkdir(filepath.Join(path, sub), 0o750); err != nil {
			return nil, errors.Join(&AccessError{path, err}, os.RemoveAll(path))
		}
	}
	return d, nil
}

// Path returns the slot's folder.
func (d *Dir) Path() string { return d.path }

// ProcessID returns the id of this process, a UUID made at the first use of the slot. It is the same after a restart.
func (d *Dir) ProcessID() string { return d.marker.Process }

// Warning says what to tell the user about this directory, "" for nothing.
func (d *Dir) Warning() string { return d.warning }

// MaxWorker returns the highest worker index ever recorded, -1 if none was: the transactional ids up to it may have
// transactions that nobody ended.
func (d *Dir) MaxWorker() int { return d.marker.MaxWorker }

// RecordWorkers records that workers 0 to highest are about to be started. It is on disk before RecordWorkers returns. The
// number never goes down.
func (d *Dir) RecordWorkers(highest int) error {
	if err := d.open(); err != nil {
		return err
	}
	if highest <= d.marker.MaxWorker {
		return nil
	}
	m := d.marker
	m.MaxWorker = highest
	if !d.memory {
		if err := writeMarker(d.markerPath(), m, syncFile); err != nil {
			return err
		}
	}
	d.marker = m
	return nil
}

// Close gives the slot up. What is in it stays, unless it is temporary. Closing again does nothing.
func (d *Dir) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	if d.memory {
		if err := os.RemoveAll(d.path); err != nil {
			return fmt.Errorf("statedir: remove temporary directory: %w", err)
		}
		return nil
	}
	return d.lock.release()
}

// open returns an error after Close: the slot may be another process's by then.
func (d *Dir) open() error {
	if d.closed.Load() {
		return fmt.Errorf("statedir: %s: %w", d.path, os.ErrClosed)
	}
	return nil
}

func (d *Dir) markerPath() string { return filepath.Join(d.path, markerFile) }

// newID returns a random UUID (version 4) as text.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
