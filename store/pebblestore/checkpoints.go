package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-streams/millrace/store"
)

// Checkpoints reads how far the stores of a directory go without changing anything in it: neither does it count as an
// opening, nor does it make what is missing. Errors are those of Open.
func (e *Engine) Checkpoints(dir string) (_ []store.Checkpoint, err error) {
	d := &disk{dir: dir, engine: e, fs: e.fs, memtable: minMemtable, event: make(chan struct{}, 1), broken: make(chan struct{})}
	if d.fs == nil {
		d.fs = vfs.Default
	}
	o := e.options(d)
	o.ReadOnly, o.ErrorIfNotExists = true, true
	if d.db, err = pebble.Open(dir, o); err != nil {
		return nil, d.openError(err)
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	c, err := d.catalog()
	if err != nil {
		return nil, err
	}
	return c.checkpoints, nil
}
