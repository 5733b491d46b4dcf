package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// unfinished begins the names of files that are being written. Pebble takes a finished one over by giving it a name of
// its own; any that is found when a database is opened was not finished.
const unfinished = "millrace-unfinished-"

// A file is a table file being written, in key order.
type file struct {
	d    *disk
	path string
	w    *sstable.Writer
}

// create begins a file.
func (d *disk) create() (*file, error) {
	d.files++
	path := d.fs.PathJoin(d.dir, fmt.Sprintf("%s%d", unfinished, d.files))
	f, err := d.fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), d.opts.MakeWriterOptions(0, d.db.TableFormat()))
	return &file{d, path, w}, nil
}

// A load is what goes into the database at once, as one or more files.
type load struct {
	d     *disk
	open  *file // being written
	paths []string
	err   error // the first
}

// begin begins a file for keys above those of the files before.
func (l *load) begin() {
	l.end()
	if l.err == nil {
		if l.open, l.err = l.d.create(); l.err == nil {
			l.paths = append(l.paths, l.open.path)
		}
	}
}

// end finishes the file. Its bytes are on disk then.
func (l *load) end() {
	if l.open == nil {
		return
	}
	if err := l.open.w.Close(); err != nil && l.err == nil {
		l.err = err
	}
	l.open = nil
}

func (l *load) set(key, value []byte) {
	if l.err == nil {
		l.err = l.open.w.Set(key, value)
	}
}

func (l *load) delete(key []byte) {
	if l.err == nil {
		l.err = l.open.w.Delete(key)
	}
}

// ingest makes the files part of the database, all or none, after a crash too; rows from gone.Start to gone.End that are
// not in them are removed with that, unless it is the zero span.
func (l *load) ingest(gone pebble.KeyRange) error {
	l.end()
	ctx := context.Background()
	switch {
	case l.err != nil:
	case gone.Valid():
		_, l.err = l.d.db.IngestAndExcise(ctx, l.paths, nil, nil, gone)
	case len(l.paths) > 0:
		l.err = l.d.db.Ingest(ctx, l.paths)
	}
	if l.err != nil {
		for _, p := range l.paths { // those that are there; the next opening removes what stays
			_ = l.d.fs.Remove(p)
		}
		return l.d.wrap(l.err)
	}
	l.d.changed()
	return nil
}

// sweep removes what an earlier process did not finish.
func (d *disk) sweep() error {
	names, err := d.fs.List(d.dir)
	if err != nil {
		return fmt.Errorf("pebblestore: list %s: %w", d.dir, err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, unfinished) {
			if err := d.fs.Remove(d.fs.PathJoin(d.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("pebblestore: remove an unfinished file in %s: %w", d.dir, err)
			}
		}
	}
	return nil
}
