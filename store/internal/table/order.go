package table

import (
	"bytes"
	"slices"
	"sort"
)

// pageRefs is the most entries of a page.
const pageRefs = 256

// order is the entries of a part that disk may lack, in key order, in pages: a write moves at most a page, and once in
// many the list of pages.
type order struct {
	pages   [][]Ref // none is empty
	n       int
	version uint64 // changes when places do
	idle    int    // how often disk caught up since somebody last asked
}

// idleOrder is how often disk catches up before an order that nobody asks for is given up.
const idleOrder = 2

// find returns the page and the place in it of a key, or where it belongs.
func (o *order) find(t *Table, key []byte) (page, i int, ok bool) {
	page = sort.Search(len(o.pages), func(p int) bool { return bytes.Compare(t.Key(o.pages[p][0]), key) > 0 }) - 1
	if page < 0 {
		return 0, 0, false
	}
	i, ok = slices.BinarySearchFunc(o.pages[page], key, func(r Ref, key []byte) int { return bytes.Compare(t.Key(r), key) })
	return page, i, ok
}

func (o *order) add(t *Table, r Ref) {
	t.at(r).kf |= ordered
	o.n++
	o.version++
	if len(o.pages) == 0 {
		o.pages = append(o.pages, append(make([]Ref, 0, pageRefs), r))
		return
	}
	// Keys that rise, as those of windows do, go to the end.
	last := len(o.pages) - 1
	p, i := last, len(o.pages[last])
	if key := t.Key(r); bytes.Compare(t.Key(o.pages[last][i-1]), key) > 0 {
		p, i, _ = o.find(t, key)
	}
	page := o.pages[p]
	if len(page) < pageRefs {
		o.pages[p] = slices.Insert(page, i, r)
		return
	}
	half := len(page) / 2
	if p == last && i == len(page) {
		half = i
	}
	next := append(make([]Ref, 0, pageRefs), page[half:]...)
	o.pages[p] = page[:half]
	o.pages = slices.Insert(o.pages, p+1, next)
	if i >= half {
		p, i = p+1, i-half
	}
	o.pages[p] = slices.Insert(o.pages[p], i, r)
}

// moved follows an entry that has moved.
func (o *order) moved(t *Table, from, to Ref) {
	p, i, ok := o.find(t, t.Key(to))
	if !ok || o.pages[p][i] != from {
		panic("table: an entry is not in its order")
	}
	o.pages[p][i] = to
}

// landed takes out the entries that disk has now.
func (o *order) landed(t *Table) {
	kept := o.pages[:0]
	n := 0
	for _, page := range o.pages {
		page = slices.DeleteFunc(page, func(r Ref) bool {
			h := t.at(r)
			if h.epoch > t.durable {
				return false
			}
			h.kf &^= ordered
			return true
		})
		if len(page) > 0 {
			kept = append(kept, page)
			n += len(page)
		}
	}
	clear(o.pages[len(kept):])
	if n != o.n {
		o.version++
	}
	o.pages, o.n = kept, n
}

func (o *order) clear() { o.pages, o.n, o.version = nil, 0, o.version+1 }

// Order makes a part one that is scanned, if it is not yet.
func (t *Table) Order(part int) {
	q := &t.parts[part]
	if q.order != nil {
		q.order.idle = 0
		return
	}
	t.orders++
	q.order = &order{version: t.orders << 32}
	var refs []Ref
	t.each(func(r Ref, h *header) {
		if h.epoch > t.durable && t.Part(t.Key(r)) == part {
			h.kf |= ordered
			refs = append(refs, r)
		}
	})
	slices.SortFunc(refs, func(a, b Ref) int { return bytes.Compare(t.Key(a), t.Key(b)) })
	for page := range slices.Chunk(refs, pageRefs/2) {
		q.order.pages = append(q.order.pages, append(make([]Ref, 0, pageRefs), page...))
	}
	q.order.n = len(refs)
}

// Ordered returns how many entries of a part are in order.
func (t *Table) Ordered(part int) int {
	if o := t.parts[part].order; o != nil {
		return o.n
	}
	return 0
}

// Scanned says that a walk over a part has ended. In a small table without entries that disk may lack an order is as
// cheap to make as to keep: it is given up, for the sake of those that look once whether there is anything.
func (t *Table) Scanned(part int) {
	if q := &t.parts[part]; q.order != nil && q.order.n == 0 && t.n < pageRefs {
		t.unorder(q)
	}
}

// unorder gives up the order of a part.
func (t *Table) unorder(q *part) {
	for _, page := range q.order.pages {
		for _, r := range page {
			t.at(r).kf &^= ordered
		}
	}
	q.order = nil
}

// A Cursor walks over the entries of a scanned part that disk may lack. It finds its place again after writes.
type Cursor struct {
	t       *Table
	part    int
	reverse bool
	p, i    int // of the next entry; backwards the entry before it is the next
	version uint64
	from    []byte // where it began
}

// Seek returns a cursor before the first entry with a key >= key; backwards, before the last one with a key < key, or the
// last one if key is nil. The cursor keeps key.
func (t *Table) Seek(part int, key []byte, reverse bool) Cursor {
	t.Order(part)
	c := Cursor{t: t, part: part, reverse: reverse, from: key}
	c.seek(key, false)
	return c
}

func (c *Cursor) seek(key []byte, after bool) {
	o := c.t.parts[c.part].order
	c.version = o.version
	if key == nil && c.reverse {
		c.p, c.i = len(o.pages), 0
		return
	}
	var ok bool
	c.p, c.i, ok = o.find(c.t, key)
	if ok && after {
		c.i++
	}
}

// Peek returns the next entry, 0 at the end. at and begun say what the last one was, for when the order has changed since.
func (c *Cursor) Peek(at []byte, begun bool) Ref {
	c.t.Order(c.part)
	o := c.t.parts[c.part].order
	switch {
	case o.version == c.version:
	case begun:
		c.seek(at, !c.reverse)
	default:
		c.seek(c.from, false)
	}
	if c.reverse {
		if c.i == 0 {
			if c.p == 0 {
				return 0
			}
			return o.pages[c.p-1][len(o.pages[c.p-1])-1]
		}
		return o.pages[c.p][c.i-1]
	}
	if c.p < len(o.pages) && c.i == len(o.pages[c.p]) {
		c.p, c.i = c.p+1, 0
	}
	if c.p >= len(o.pages) {
		return 0
	}
	return o.pages[c.p][c.i]
}

// Step moves over the entry that Peek returned.
func (c *Cursor) Step() {
	if !c.reverse {
		c.i++
		return
	}
	if c.i == 0 {
		c.p--
		c.i = len(c.t.parts[c.part].order.pages[c.p])
	}
	c.i--
}
