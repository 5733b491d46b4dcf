package table

import "github.com/millrace-streams/millrace/store/internal/arena"

// Landed says that disk has every entry up to an epoch.
func (t *Table) Landed(epoch uint32) {
	t.durable = epoch
	for i := range t.parts {
		q := &t.parts[i]
		if q.order == nil {
			continue
		}
		if q.order.idle++; q.order.idle > idleOrder {
			t.unorder(q)
		} else {
			q.order.landed(t)
		}
	}
}

// Evict frees memory until at most limit bytes are held, oldest segments first, walking over each segment at most twice.
// Entries that disk may lack stay, those that were used get a second chance; both move to the newest segment. No
// transaction may have written anything: its lists would not follow.
func (t *Table) Evict(limit int64) {
	if len(t.dirty) > 0 || len(t.loads) > 0 {
		panic("table: eviction while entries are dirty")
	}
	for budget := 2 * len(t.order); t.bytes > limit && len(t.order) > 2 && budget > 0; budget-- {
		seg := t.order[0]
		t.order = append(t.order[:0], t.order[1:]...)
		t.sweep(seg)
		t.giveBack(seg)
	}
}

// giveBack frees a segment that holds no entry and is not in order.
func (t *Table) giveBack(seg uint32) {
	b := t.segs[seg]
	t.segs[seg] = nil
	t.spare = append(t.spare, seg)
	t.bytes -= int64(len(b))
	if len(b) > maxSegment || len(b) <= len(t.again) {
		arena.Free(b)
		return
	}
	if t.again != nil {
		arena.Free(t.again)
	}
	t.again = b
}

// sweep takes the entries out of a segment.
func (t *Table) sweep(seg uint32) {
	for off := uint32(0); off < t.fills[seg]; {
		r := Ref(seg<<segShift | off/unit)
		h := t.at(r)
		off += h.size
		switch {
		case h.kf&dead != 0:
		case h.epoch > t.durable || h.kf&(used|ordered) != 0:
			h.kf &^= used
			t.move(r, t.allot(int(h.klen()), int(h.size-headerLen-h.klen())))
		default:
			t.lost = t.lost || h.live()
			t.forget(r)
		}
	}
}

// Drop removes all entries whose keys begin with a prefix. No transaction may have written anything.
func (t *Table) Drop(part int, prefix []byte) {
	t.each(func(r Ref, _ *header) {
		if key := t.Key(r); len(key) >= len(prefix) && string(key[:len(prefix)]) == string(prefix) {
			t.forget(r)
		}
	})
	if o := t.parts[part].order; o != nil {
		o.clear()
	}
}

// each calls f with every entry. f may forget it.
func (t *Table) each(f func(r Ref, h *header)) {
	for _, seg := range t.order {
		for off := uint32(0); off < t.fills[seg]; {
			r := Ref(seg<<segShift | off/unit)
			h := t.at(r)
			off += h.size
			if h.kf&dead == 0 {
				f(r, h)
			}
		}
	}
}

// lastEpoch is the highest there can be. It is less in tests.
var lastEpoch = ^uint32(0) - 1

// Full reports whether epochs have run out: once disk has everything, Renumber begins anew.
func (t *Table) Full() bool { return t.epoch >= lastEpoch }

// Renumber makes all entries clean, which disk must have.
func (t *Table) Renumber() {
	if t.durable != t.epoch-1 || len(t.dirty) > 0 || len(t.loads) > 0 {
		panic("table: entries that disk may lack are renumbered")
	}
	t.each(func(_ Ref, h *header) { h.epoch = 0 })
	t.epoch, t.durable = 1, 0
}
