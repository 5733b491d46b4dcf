package table

// Load writes a committed row, outside any transaction and without a former value: reads see it at once, and it can no
// more be taken back. It counts as written by the open epoch; Settle ends that.
func (t *Table) Load(part int, key, value []byte, live bool) {
	r := t.Find(key)
	if r == 0 {
		r = t.insert(key, len(value), live)
	} else {
		r = t.fit(r, len(value))
	}
	t.put(r, value)
	h := t.at(r)
	h.kf &^= deleted
	if !live {
		h.kf |= deleted
	}
	if h.kf&loaded == 0 {
		h.kf |= loaded
		h.epoch = t.epoch
		h.list = uint32(len(t.loads))
		t.loads = append(t.loads, r)
		if q := &t.parts[part]; q.order != nil && h.kf&ordered == 0 {
			q.order.add(t, r)
		}
	}
}

// Loaded returns how many rows were loaded since the last Settle.
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
