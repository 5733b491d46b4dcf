package rows

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/millrace-streams/millrace/store"
)

// timed are rows that were found in another order than that of time.
type timed []timedRow

type timedRow struct {
	at, then      int64 // what they are ordered by, before the bytes of the record's key
	number        int64 // and after them
	k, key, value []byte
}

// add keeps the row that a walk is at; the record's key is n bytes of the row's, from where on.
func (r *timed) add(it store.Iter, at, then int64, where, n int) {
	key := bytes.Clone(it.Key())
	*r = append(*r, timedRow{at: at, then: then, k: key[where : where+n], key: key, value: bytes.Clone(it.Value())})
}

// inOrder calls f for the rows in the order of time until it returns false, and reports whether it went to the end.
func (r timed) inOrder(f func(key, value []byte) bool) bool {
	slices.SortFunc(r, func(a, b timedRow) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.then, b.then), bytes.Compare(a.k, b.k), cmp.Compare(a.number, b.number))
	})
	for i := range r {
		if !f(r[i].key, r[i].value) {
			return false
		}
	}
	return true
}
