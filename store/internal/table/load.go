package table

// A Row is what Load is given.
type Row struct {
	Part  int
	Key   []byte
	Value []byte
	Live  bool // there is such a row
}

// Load writes committed rows, outside any transaction and without former values: reads see them at once, and they can no
// more be taken back. They count as written by the open epoch; Settle ends that. n is how many there are, row returns one.
// Load returns the bytes of keys and values that are loaded in more entries than before.
func (t *Table) Load(n int, row func(i int) Row) (grown int) {
	var hashes [groupLen]uint64
	for from := 0; from < n; from += groupLen {
		group := min(groupLen, n-from)
		t.nearby(group, func(i int) []byte { return row(from + i).Key }, &hashes)
		for i := range group {
			r := row(from + i)
			if t.load(r, hashes[i]) {
				grown += len(r.Key) + len(r.Value)
			}
		}
	}
	return grown
}

// load reports whether the row's entry was not loaded before.
func (t *Table) load(row Row, hash uint64) bool {
	r := t.find(row.Key, hash)
	if r == 0 {
		r = t.insertHashed(row.Key, hash, len(row.Value), row.Live)
	} else {
		r = t.fit(r, len(row.Value))
	}
	t.put(r, row.Value)
	h := t.at(r)
	h.kf &^= deleted
	if !row.Live {
		h.kf |= deleted
	}
	if h.kf&loaded != 0 {
		return false
	}
	h.kf |= loaded
	h.epoch = t.epoch
	h.list = uint32(len(t.loads))
	t.loads = append(t.loads, r)
	if q := &t.parts[row.Part]; q.order != nil && h.kf&ordered == 0 {
		q.order.add(t, r)
	}
	return true
}

// Loaded returns how many entries were loaded since the last Settle.
func (t *Table) Loaded() int { return len(t.loads) }

// Settle calls f with each row loaded, in the order of loading, and ends their epoch: they are committed.
func (t *Table) Settle(f func(key, value []byte, live bool)) {
	for _, r := range t.loads {
		t.at(r).kf &^= loaded
		value, live := t.Value(r)
		f(t.Key(r), value, live)
	}
	t.loads = trim(t.loads)
	t.epoch++
}
