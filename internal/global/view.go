package global

import (
	"bytes"
	"errors"

	"github.com/millrace-streams/millrace/store"
)

// errReadOnly is what a write to a view ends with.
var errReadOnly = errors.New("a global table is read-only: write to its topic instead")

// View returns a database for one goroutine that shows the rows as they are at each call, and takes no writes.
func (t *Table) View() store.DB { return &view{t: t} }

// A view reads under the table's lock, and copies: the rows it shows are not those of the next call.
type view struct {
	t     *Table
	value []byte
}

func (v *view) Prefix(name string) []byte {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.t.c.DB.Prefix(name)
}

func (v *view) Get(key []byte) ([]byte, bool, error) {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	b, ok, err := v.t.c.DB.Get(key)
	if !ok || err != nil {
		return nil, false, err
	}
	v.value = append(v.value[:0], b...)
	return v.value, true, nil
}

// Warm does nothing: a global table is small.
func (v *view) Warm([][]byte) error { return nil }

func (v *view) Range(from, to []byte, reverse bool) store.Iter {
	return &walk{t: v.t, from: bytes.Clone(from), to: bytes.Clone(to), reverse: reverse, at: -1, more: true}
}

// chunk is how many rows a walk reads at once.
const chunk = 128

// A walk reads some rows under the lock, and goes on from the last of them.
type walk struct {
	t        *Table
	from, to []byte
	reverse  bool
	more     bool // there may be rows behind those in hand
	keys     [][]byte
	values   [][]byte
	at       int
	err      error
}

func (w *walk) Next() bool {
	if w.at+1 >= len(w.keys) && w.more && w.err == nil {
		w.read()
	}
	if w.at+1 >= len(w.keys) {
		return false
	}
	w.at++
	return true
}

func (w *walk) read() {
	w.keys, w.values, w.at = w.keys[:0], w.values[:0], -1
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	it := w.t.c.DB.Range(w.from, w.to, w.reverse)
	for len(w.keys) < chunk && it.Next() {
		w.keys = append(w.keys, bytes.Clone(it.Key()))
		w.values = append(w.values, bytes.Clone(it.Value()))
	}
	w.err = it.Close()
	if w.more = len(w.keys) == chunk; w.more {
		last := w.keys[chunk-1]
		if w.reverse {
			w.to = last // the end is not included
		} else {
			w.from = append(bytes.Clone(last), 0) // the first key behind it
		}
	}
}

func (w *walk) Key() []byte   { return w.keys[w.at] }
func (w *walk) Value() []byte { return w.values[w.at] }
func (w *walk) Close() error  { return w.err }

// What writes, or is about a transaction, is not for a view.

func (v *view) Set(_, _ []byte) error                      { return errReadOnly }
func (v *view) Insert(_, _ []byte) error                   { return errReadOnly }
func (v *view) Delete([]byte) error                        { return errReadOnly }
func (v *view) Expire(_, _ []byte) error                   { return errReadOnly }
func (v *view) Commit(...store.Checkpoint) error           { return errReadOnly }
func (v *view) Load([]store.KV, store.Checkpoint) error    { return errReadOnly }
func (v *view) Wipe(_, _ string) error                     { return errReadOnly }
func (v *view) Flush(int64) error                          { return errReadOnly }
func (v *view) Mark() int                                  { return 0 }
func (v *view) Rollback(int)                               {}
func (v *view) Abort()                                     {}
func (v *view) Dirty([]byte, func(store.Dirty) bool)       {}
func (v *view) Wrote() bool                                { return false }
func (v *view) Pending() int64                             { return 0 }
func (v *view) Checkpoint(string) (store.Checkpoint, bool) { return store.Checkpoint{}, false }
func (v *view) Clean() bool                                { return true }
func (v *view) Size() int64                                { return 0 }
func (v *view) Close() error                               { return nil }
