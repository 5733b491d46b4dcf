package overlay

// TableBytes returns the memory the table holds.
func (db *DB) TableBytes() int64 { return db.t.Bytes() }

// Ordered returns how many rows are kept in key order.
func (db *DB) Ordered() (n int) {
	for part := range db.stores {
		n += db.t.Ordered(part)
	}
	return n
}

// AddRow appends a row.
func AddRow(r Rows, key, value []byte, has bool) Rows { return Rows(appendRow(r, key, value, has)) }
