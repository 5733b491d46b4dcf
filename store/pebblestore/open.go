package pebblestore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// Options says how one database is opened.
type Options struct {
	// Databases is how many databases are expected to share the engine; how much each writes at once follows it. Zero
	// means one.
	Databases int
}

// Open opens the database of a directory, which is made if it is missing, for the named stores. Names that were not seen
// before are added; rows of stores not named stay. It waits for two small writes to disk.
//
// Errors are *store.LockedError if another process has the directory open, *store.FormatError if another version wrote it,
// *store.CorruptError if it is damaged and may be set aside, and else what the file system said.
func (e *Engine) Open(dir string, stores []string, o Options) (store.DB, error) {
	d := e.disk(dir, o)
	e.open.Add(1)
	e.hold(runs(d.batch))
	db, err := d.open(stores)
	if err != nil {
		e.open.Add(-1)
		e.hold(-runs(d.batch))
		return nil, err
	}
	return db, nil
}

// disk returns what a directory's database will be.
func (e *Engine) disk(dir string, o Options) *disk {
	fs := e.fs
	if fs == nil {
		fs = vfs.Default
	}
	return &disk{
		dir: dir, engine: e, fs: markerFS{fs}, batch: e.batch(o.Databases),
		event: make(chan struct{}, 1), broken: make(chan struct{}),
	}
}

// acquire locks the directory, which must be there.
func (d *disk) acquire() (err error) {
	if d.lock, err = pebble.LockDirectory(d.dir, d.fs); err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok { // the file could not be opened
		return fmt.Errorf("pebblestore: lock %s: %w", d.dir, err)
	}
	return &store.LockedError{Dir: d.dir, Err: err}
}

func (d *disk) open(stores []string) (_ store.DB, err error) {
	if err := d.fs.MkdirAll(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("pebblestore: make %s: %w", d.dir, err)
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.lock.Close())
		}
	}()
	if err := d.sweep(); err != nil {
		return nil, err
	}
	d.opts = d.engine.options(d)
	d.opts.EnsureDefaults()
	d.db, err = pebble.Open(d.dir, d.opts)
	if err != nil {
		return nil, d.openError(err)
	}
	defer func() {
		if err != nil {
			d.changed()
			_ = d.db.Close()
		}
	}()
	c, err := d.catalog()
	if err != nil {
		return nil, err
	}
	parts, err := d.begin(c, stores)
	if err != nil {
		return nil, err
	}
	return overlay.Open(d, parts, c.checkpoints, c.format == 0 || c.clean, overlay.Options{
		Limit:     d.engine.table,
		Least:     d.engine.least,
		Holds:     func(bytes int64) { d.engine.hold(bytes - d.held); d.held = bytes },
		Batch:     d.batch,
		LoadBatch: 4 * d.batch,
		New:       c.format == 0,
	}), nil
}

// openError says what a failed opening means. An error of the operating system says nothing about the contents of the
// files; any other means that they cannot be understood.
func (d *disk) openError(err error) error {
	if text := err.Error(); strings.Contains(text, "format major version") {
		return &store.FormatError{Dir: d.dir, Found: text, Known: fmt.Sprintf("%d on Pebble's %d", Format, pebble.FormatNewest)}
	}
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return fmt.Errorf("pebblestore: %s: %w", d.dir, fs.ErrNotExist)
	}
	if _, ok := errors.AsType[syscall.Errno](err); !ok {
		return &store.CorruptError{Dir: d.dir, Err: err}
	}
	return d.wrap(err)
}

// wrap says which directory an error belongs to, and whether it is damaged: a file is missing or is not what was written.
func (d *disk) wrap(err error) error {
	if pebble.IsCorruptionError(err) || errors.Is(err, os.ErrNotExist) {
		return &store.CorruptError{Dir: d.dir, Err: err}
	}
	return fmt.Errorf("pebblestore: %s: %w", d.dir, err)
}

// catalog reads what the database says about itself.
func (d *disk) catalog() (*catalog, error) {
	c := &catalog{prefixes: map[string][overlay.PrefixLen]byte{}}
	it := d.iter(metaFrom, metaTo, false)
	for it.Next() {
		if err := c.add(it.Key(), it.Value()); err != nil {
			_ = it.Close()
			return nil, &store.CorruptError{Dir: d.dir, Err: err}
		}
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	known := c.format == Format
	if c.format == 0 { // new, or somebody else's
		it := d.iter(nil, nil, false)
		known = !it.Next()
		if err := it.Close(); err != nil {
			return nil, err
		}
	}
	if !known {
		return nil, &store.FormatError{Dir: d.dir, Found: fmt.Sprint(c.format), Known: fmt.Sprint(Format)}
	}
	return c, nil
}

// begin makes the database one that is open: durably, it is no longer marked as closed in order, and the stores have
// their prefixes.
func (d *disk) begin(c *catalog, stores []string) ([]overlay.Store, error) {
	var parts []overlay.Store
	facts := map[string][]byte{}
	if c.format == 0 {
		facts[string(metaKey(kindFormat, ""))] = formatValue(Format)
	}
	if c.clean {
		facts[string(metaKey(kindClean, ""))] = nil
	}
	for _, name := range stores {
		prefix, added, err := c.allot(name)
		if err != nil {
			return nil, fmt.Errorf("pebblestore: %s: %w", d.dir, err)
		}
		if added {
			facts[string(metaKey(kindStore, name))] = prefix[:]
		}
		parts = append(parts, overlay.Store{Name: name, Prefix: prefix})
	}
	if len(facts) == 0 {
		return parts, nil
	}
	l := &load{d: d}
	l.begin()
	for _, key := range slices.Sorted(maps.Keys(facts)) {
		if value := facts[key]; value != nil {
			l.set([]byte(key), value)
		} else {
			l.delete([]byte(key))
		}
	}
	return parts, l.ingest(pebble.KeyRange{})
}
