package statedir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// syncFile brings an open file or folder to disk.
func syncFile(f *os.File) error { return f.Sync() }

// syncDir brings the names in a folder to disk. Windows has no such call; renames are written through there.
func syncDir(path string, sync func(*os.File) error) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return &AccessError{path, err}
	}
	if err := errors.Join(sync(f), f.Close()); err != nil {
		return &AccessError{path, err}
	}
	return nil
}

// makeAll makes a folder and those above it, and brings the names of the new ones to disk.
func makeAll(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := makeAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return &AccessError{path, err}
	}
	// Whoever made it: its name may not be on disk yet.
	if err := syncDir(parent, syncFile); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err != nil {
		return &AccessError{path, err}
	}
	return nil
}
