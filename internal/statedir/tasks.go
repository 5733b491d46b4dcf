package statedir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A TaskDir is the folder of one task.
type TaskDir struct {
	Path      string
	Stores    []string // sorted; nil if their names are too long to be spelled out
	Partition int32
}

// TaskPath returns the folder for the rows of the given stores, in any order, of one partition. It does not make it.
func (d *Dir) TaskPath(stores []string, partition int32) string {
	return filepath.Join(d.path, tasksDir, taskName(stores, partition))
}

// Tasks lists the task folders, by name.
func (d *Dir) Tasks() ([]TaskDir, error) {
	return d.list(tasksDir, func(name string) (string, bool) { return name, true })
}

// Aside lists the folders that SetAside has put away, by name. They stay until somebody removes them.
func (d *Dir) Aside() ([]TaskDir, error) {
	return d.list(asideDir, func(name string) (string, bool) {
		i := strings.LastIndexByte(name, '.')
		return name[:max(i, 0)], i > 0
	})
}

func (d *Dir) list(sub string, task func(name string) (string, bool)) ([]TaskDir, error) {
	if err := d.open(); err != nil {
		return nil, err
	}
	path := filepath.Join(d.path, sub)
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, &AccessError{path, err}
	}
	var tasks []TaskDir
	for _, e := range entries {
		name, ok := task(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		if stores, partition, ok := parseTask(name); ok {
			tasks = append(tasks, TaskDir{filepath.Join(path, e.Name()), stores, partition})
		}
	}
	slices.SortFunc(tasks, func(a, b TaskDir) int { return cmp.Compare(a.Path, b.Path) })
	return tasks, nil
}

// Remove deletes a task folder, given by its path; one that is not there is no error. A crash in the middle leaves nothing
// that looks like a task: the folder first moves out of the way.
func (d *Dir) Remove(path string) error {
	gone, err := d.move(path, removingDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(gone); err != nil {
		return &AccessError{gone, err}
	}
	return nil
}

// SetAside moves a task folder that cannot be used out of the way and returns its new path, so that its rows are restored
// in a new one and somebody can look at the old.
func (d *Dir) SetAside(path string) (newPath string, err error) { return d.move(path, asideDir) }

// move renames a task folder into another part of the slot, under a number that is free.
func (d *Dir) move(path, sub string) (string, error) {
	if err := d.open(); err != nil {
		return "", err
	}
	name := filepath.Base(path)
	from := filepath.Join(d.path, tasksDir)
	if _, _, ok := parseTask(name); !ok || filepath.Dir(filepath.Clean(path)) != from {
		return "", fmt.Errorf("statedir: %s is no task folder of %s", path, d.path)
	}
	to := filepath.Join(d.path, sub)
	for i := 0; ; i++ {
		target := filepath.Join(to, name+"."+strconv.Itoa(i))
		if _, err := os.Lstat(target); err == nil {
			continue
		}
		if err := os.Rename(path, target); err != nil {
			return "", &AccessError{path, err}
		}
		return target, errors.Join(syncDir(from, syncFile), syncDir(to, syncFile))
	}
}
