package kstest

import (
	"fmt"

	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
)

// Table returns a table's rows, over all partitions. A table without a store, because it is computed from another, fails
// the test.
func (d *Driver) Table[K, V any](t ktable.Table[K, V]) store.KeyValueReader[K, V] {
	d.t.Helper()
	s := t.Store()
	if s.Decl() == nil {
		d.fail(fmt.Errorf("the table has no store: call Materialize"))
	}
	return d.Store(s)
}
