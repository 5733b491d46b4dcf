package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/millrace-streams/millrace/store"
)

// Checkpoints reads how far the stores of a directory go without changing anything in it: neither does it count as an
// opening, nor does it make what is missing; then the error is fs.ErrNotExist. Other errors are those of Open.
func (e *Engine) Checkpoints(dir string) (_ []store.Checkpoint, err error) {
	d := e.disk(dir, Options{})
	if err := d.acquire(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.lock.Close()) }()
	o := e.options(d)
	o.ReadOnly, o.ErrorIfNotExists = true, true
	if d.db, err = pebble.Open(dir, o); err != nil {
		return nil, d.openError(err)
	}
	defer func() {
		d.changed()
		err = errors.Join(err, d.db.Close())
	}()
	c, err := d.catalog()
	if err != nil {
		return nil, err
	}
	return c.checkpoints, nil
}
