package table

import "fmt"

// Check walks over the whole table and returns what it finds wrong with it.
func (t *Table) Check() error {
	if t.durable >= t.epoch {
		return fmt.Errorf("table: disk has epoch %d, the open one is %d", t.durable, t.epoch)
	}
	n, orders, bytes := 0, make([]int, len(t.parts)), int64(0)
	var err error
	t.each(func(r Ref, h *header) {
		n++
		if err == nil {
			err = t.checkEntry(r, h)
		}
		if h.kf&ordered != 0 {
			orders[t.Part(t.Key(r))]++
		}
	})
	if err != nil {
		return err
	}
	slots := 0
	for _, x := range t.index {
		slots += x.n
		bytes += int64(len(x.s)) * 8
		if x.n*5 > len(x.s)*4 {
			return fmt.Errorf("table: %d of %d slots are taken", x.n, len(x.s))
		}
	}
	for _, seg := range t.order {
		bytes += int64(len(t.segs[seg]))
	}
	if n != t.n || slots != t.n || bytes != t.bytes {
		return fmt.Errorf("table: %d entries in %d slots and %d bytes, counted %d and %d bytes", n, slots, bytes, t.n, t.bytes)
	}
	inParts := 0
	for i := range t.parts {
		inParts += len(t.parts[i].dirty)
		if o := t.parts[i].order; o != nil && o.n != orders[i] {
			return fmt.Errorf("table: %d entries of part %d are marked as in order, and %d are", orders[i], i, o.n)
		}
	}
	if inParts != len(t.dirty) {
		return fmt.Errorf("table: %d dirty entries in parts, %d in all", inParts, len(t.dirty))
	}
	for i, d := range t.dirty {
		if h := t.at(d.ref); h.epoch != t.epoch || int(h.list) != i || h.kf&dead != 0 {
			return fmt.Errorf("table: dirty entry %d has epoch %d and place %d, the open epoch is %d", i, h.epoch, h.list, t.epoch)
		}
	}
	return nil
}

func (t *Table) checkEntry(r Ref, h *header) error {
	key := t.Key(r)
	switch {
	case h.epoch > t.epoch:
		return fmt.Errorf("table: the entry of %x has epoch %d, the open one is %d", key, h.epoch, t.epoch)
	case h.size < headerLen+h.klen()+h.vlen:
		return fmt.Errorf("table: the entry of %x has %d bytes in a cell of %d", key, headerLen+h.klen()+h.vlen, h.size)
	case h.epoch == t.epoch && h.kf&loaded == 0 && (int(h.list) >= len(t.dirty) || t.dirty[h.list].ref != r):
		return fmt.Errorf("table: the entry of %x is of the open transaction, and not among its dirty ones", key)
	case h.kf&loaded != 0 && (int(h.list) >= len(t.loads) || t.loads[h.list] != r):
		return fmt.Errorf("table: the entry of %x is loaded, and not among the loaded ones", key)
	}
	t.last = 0
	if got := t.Find(key); got != r {
		return fmt.Errorf("table: the entry of %x is not what is found under its key", key)
	}
	if o := t.parts[t.Part(key)].order; o != nil {
		p, i, ok := o.find(t, key)
		if in := ok && o.pages[p][i] == r; in != (h.kf&ordered != 0) || !in && h.epoch > t.durable {
			return fmt.Errorf("table: the entry of %x, of epoch %d with disk at %d, is in order: %v", key, h.epoch, t.durable, in)
		}
	}
	return nil
}
