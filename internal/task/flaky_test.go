package task

import (
	"bytes"
	"testing"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

// flaky is a database whose engine fails while broken is set.
type flaky struct {
	store.DB
	broken error
	marks  int // savepoints taken
}

func newFlaky(t testing.TB, stores ...string) *flaky {
	db := memstore.Open(stores...)
	t.Cleanup(func() { _ = db.Close() })
	return &flaky{DB: db}
}

func (f *flaky) Mark() int {
	f.marks++
	return f.DB.Mark()
}

func (f *flaky) Get(key []byte) ([]byte, bool, error) {
	if f.broken != nil {
		return nil, false, f.broken
	}
	return f.DB.Get(key)
}

func (f *flaky) Set(key, value []byte) error {
	if f.broken != nil {
		return f.broken
	}
	return f.DB.Set(key, value)
}

func (f *flaky) Delete(key []byte) error {
	if f.broken != nil {
		return f.broken
	}
	return f.DB.Delete(key)
}

// Dirty makes sure that nobody keeps what is valid inside the call only.
func (f *flaky) Dirty(prefix []byte, visit func(store.Dirty) bool) {
	f.DB.Dirty(prefix, func(d store.Dirty) bool {
		d.Key, d.Value = bytes.Clone(d.Key), bytes.Clone(d.Value)
		more := visit(d)
		for _, b := range [][]byte{d.Key, d.Value} {
			for i := range b {
				b[i] = '!'
			}
		}
		return more
	})
}

func (f *flaky) Range(from, to []byte, reverse bool) store.Iter {
	return flakyIter{f.DB.Range(from, to, reverse), f}
}

type flakyIter struct {
	store.Iter
	f *flaky
}

func (it flakyIter) Close() error {
	if err := it.Iter.Close(); err != nil {
		return err
	}
	return it.f.broken
}
