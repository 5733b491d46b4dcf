package overlay

import (
	"bytes"
	"slices"
	"sort"
)

// order is rows of a part's lacks in key order. It is made when a Range asks for it, and kept up to date from then on as
// Ranges ask again; a store that is never scanned has none.
type order struct {
	ids     []uint32
	seen    int    // lacks[:seen] are in ids
	version uint64 // changes when ids does
}

// sort brings in the rows that became listed since it was last called.
func (p *part) sort(t *table) {
	o := &p.order
	if o.seen == len(p.lacks) {
		return
	}
	add := slices.Clone(p.lacks[o.seen:])
	o.seen = len(p.lacks)
	o.version++
	compare := func(a, b uint32) int { return bytes.Compare(t.key(t.at(a)), t.key(t.at(b))) }
	if len(add) <= 8 { // a handler that writes and scans by turns
		for _, id := range add {
			i, _ := slices.BinarySearchFunc(o.ids, id, compare)
			o.ids = slices.Insert(o.ids, i, id)
		}
		return
	}
	slices.SortFunc(add, compare)
	old := o.ids
	o.ids = make([]uint32, 0, len(old)+len(add))
	for len(old) > 0 && len(add) > 0 {
		if compare(old[0], add[0]) < 0 {
			o.ids, old = append(o.ids, old[0]), old[1:]
		} else {
			o.ids, add = append(o.ids, add[0]), add[1:]
		}
	}
	o.ids = append(append(o.ids, old...), add...)
}

// landed takes the rows up to an epoch off the list: the base has them.
func (p *part) landed(t *table, applied uint64) {
	o := &p.order
	seen, n := 0, 0
	for i, id := range p.lacks {
		e := t.at(id)
		if e.epoch <= applied {
			e.flags &^= listed
			continue
		}
		if i < o.seen {
			seen++
		}
		p.lacks[n] = id
		n++
	}
	if n == len(p.lacks) {
		return
	}
	p.lacks = p.lacks[:n]
	if cap(p.lacks) > 1<<16 && n < cap(p.lacks)/16 {
		p.lacks = slices.Clone(p.lacks)
	}
	if o.seen > 0 {
		o.ids = slices.DeleteFunc(o.ids, func(id uint32) bool { return t.at(id).flags&listed == 0 })
		o.version++
	}
	o.seen = seen
}

// seek returns the place of the first row with key >= key, or > key if after.
func (o *order) seek(t *table, key []byte, after bool) int {
	return sort.Search(len(o.ids), func(i int) bool {
		c := bytes.Compare(t.key(t.at(o.ids[i])), key)
		return c > 0 || c == 0 && !after
	})
}
