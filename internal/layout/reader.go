package layout

import (
	"github.com/millrace-streams/millrace/store"
)

// Rows is where rows of all stores are read. store.DB is one.
type Rows interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Range(from, to []byte, reverse bool) store.Iter
}

// Under returns the reader of the rows under a store's prefix.
func Under(prefix []byte, rows Rows) Reader {
	return &under{len(prefix), append([]byte(nil), prefix...), append([]byte(nil), prefix...), rows}
}

type under struct {
	n         int    // length of the prefix
	low, high []byte // begin with it
	rows      Rows
}

// Get implements Reader.
func (u *under) Get(key []byte) ([]byte, bool, error) {
	u.low = append(u.low[:u.n], key...)
	return u.rows.Get(u.low)
}

// Scan implements Reader.
func (u *under) Scan(from, to []byte, f func(key, value []byte) bool) error {
	u.low, u.high = append(u.low[:u.n], from...), append(u.high[:u.n], to...)
	it := u.rows.Range(u.low, u.high, false)
	for it.Next() {
		if !f(it.Key()[u.n:], it.Value()) {
			break
		}
	}
	return it.Close()
}
