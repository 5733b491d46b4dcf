package conformance

import (
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/ktable"
)

// tableRows returns the rows of a table's store.
func tableRows[K, V any](d *kstest.Driver, n *Node, t ktable.Table[K, V], k kind[K], v kind[V]) Store {
	s := Store{Kind: "keyValue", Rows: []Row{}}
	rows := d.Table(t)
	for key := range rows.All() {
		row, _ := rows.GetRow(key)
		s.Rows = append(s.Rows, Row{Key: []byte(*k.text(key)), Time: new(row.Time.UnixMilli())}.with(v.name, v.text(row.Value)))
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
