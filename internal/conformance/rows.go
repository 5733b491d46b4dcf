package conformance

import (
	"github.com/millrace-streams/millrace/store"
)

// keyValueRows returns the rows of a key-value store, with their times if it shows them.
func keyValueRows[K, V any](rows store.KeyValueReader[K, V], k kind[K], v kind[V], timed bool) Store {
	s := Store{Kind: "keyValue", Rows: []Row{}}
	for key := range rows.All() {
		row, _ := rows.GetRow(key)
		r := Row{Key: []byte(*k.text(key))}.with(v.name, v.text(row.Value))
		if timed {
			r.Time = new(row.Time.UnixMilli())
		}
		s.Rows = append(s.Rows, r)
	}
	return s
}

// with returns a row with a value.
func (r Row) with(kind string, value *string) Row {
	if kind == "int64" {
		r.Number = new(number(*value))
	} else {
		r.Value = new([]byte(*value))
	}
	return r
}
