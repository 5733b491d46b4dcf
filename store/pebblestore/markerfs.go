package pebblestore

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// markerFS syncs a directory before a marker is created in it. Pebble writes a new manifest, then a marker that names it,
// and syncs the directory after both: a file system that does not keep their order may, after a crash, have the marker
// and not the manifest, and the database would be taken for damaged.
type markerFS struct{ vfs.FS }

// Create implements vfs.FS.
func (f markerFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		dir, err := f.OpenDir(f.PathDir(name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return nil, err
		}
	}
	return f.FS.Create(name, category)
}

// Unwrap implements vfs.FS.
func (f markerFS) Unwrap() vfs.FS { return f.FS }
