package overlay

// TableBytes returns the memory the table holds.
func (db *DB) TableBytes() int64 { return db.t.bytes }

// Ordered returns how many rows are kept in key order.
func (db *DB) Ordered() (n int) {
	for _, p := range db.parts {
		n += len(p.order.ids)
	}
	return n
}

// AddRow appends a row.
func AddRow(r Rows, key, value []byte, has bool) Rows { return r.add(key, value, has) }
