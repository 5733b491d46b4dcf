package rows

import (
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// A Dirty is a row that the open transaction wrote: what it was at the last commit and what it is now.
type Dirty[K, V any] struct {
	Key      K
	KeyBytes []byte // without the store's prefix, valid until the function it was given to writes
	record.Change[V]
	Time int64 // from which the new value holds, milliseconds; 0 if there is none
}

// Dirty calls f for each row that the open transaction wrote, in the order of the first write; also for those that f
// itself writes. Rows that were not there before and are not there now are left out. Old values are decoded only if old is
// true, else Old is zero and HasOld false.
func (s *KeyValue[K, V]) Dirty(old bool, f func(d Dirty[K, V])) {
	s.db.Dirty(s.buf[:s.prefix:s.prefix], func(row store.Dirty) bool {
		if !row.Had && !row.Has {
			return true
		}
		f(change(&s.part, s.decodeKey(row.Key[s.prefix:]), &row, old))
		return true
	})
}

// change decodes what the open transaction did to the row of a key.
func change[K, K2, V any](s *part[K, V], k K2, row *store.Dirty, old bool) Dirty[K2, V] {
	d := Dirty[K2, V]{Key: k, KeyBytes: row.Key[s.prefix:]}
	if row.Has {
		d.New, d.Time = s.decode(row.Value)
		d.HasNew = true
	}
	if old && row.Had {
		d.Old, _ = s.decode(row.Before)
		d.HasOld = true
	}
	return d
}
