package memstore

import (
	"bytes"
	"slices"
	"sort"
)

// pageRows is the most rows of a page.
const pageRows = 128

// rows are kept in key order, in pages: a list of short lists. A write moves at most a page and, once in many, the list
// of pages.
type rows struct {
	pages [][]row // none is empty; the last row of a page is below the first of the next
	bytes int64   // keys and values
}

type row struct{ key, value []byte }

// find returns where a key is, or where it belongs.
func (r *rows) find(key []byte) (page, i int, ok bool) {
	page = sort.Search(len(r.pages), func(p int) bool { return bytes.Compare(r.pages[p][0].key, key) > 0 }) - 1
	if page < 0 {
		return 0, 0, false
	}
	i, ok = slices.BinarySearchFunc(r.pages[page], key, func(x row, key []byte) int { return bytes.Compare(x.key, key) })
	return page, i, ok
}

func (r *rows) set(key, value []byte) {
	p, i, ok := r.find(key)
	if ok {
		x := &r.pages[p][i]
		r.bytes += int64(len(value) - len(x.value))
		x.value = append(x.value[:0], value...)
		return
	}
	r.bytes += int64(len(key) + len(value))
	x := row{bytes.Clone(key), bytes.Clone(value)}
	if len(r.pages) == 0 {
		r.pages = append(r.pages, []row{x})
		return
	}
	page := slices.Insert(r.pages[p], i, x)
	if len(page) > pageRows {
		half := slices.Clone(page[len(page)/2:])
		clear(page[len(page)/2:])
		page = page[:len(page)/2]
		r.pages = slices.Insert(r.pages, p+1, half)
	}
	r.pages[p] = page
}

func (r *rows) delete(key []byte) {
	p, i, ok := r.find(key)
	if !ok {
		return
	}
	r.bytes -= int64(len(key) + len(r.pages[p][i].value))
	r.pages[p] = slices.Delete(r.pages[p], i, i+1)
	if len(r.pages[p]) == 0 {
		r.pages = slices.Delete(r.pages, p, p+1)
	}
}

func (r *rows) deletePrefix(prefix []byte) {
	for {
		it := r.iter(prefix, nil, false)
		if !it.Next() || !bytes.HasPrefix(it.Key(), prefix) {
			return
		}
		r.delete(it.Key())
	}
}

// deleteSpan removes the rows with from <= key < to, whole pages at a time where it can.
func (r *rows) deleteSpan(from, to []byte) {
	p, i, _ := r.find(from)
	for p < len(r.pages) {
		page := r.pages[p]
		end := i + sort.Search(len(page)-i, func(j int) bool { return bytes.Compare(page[i+j].key, to) >= 0 })
		for _, x := range page[i:end] {
			r.bytes -= int64(len(x.key) + len(x.value))
		}
		done := end < len(page)
		switch {
		case i == 0 && end == len(page):
			r.pages = slices.Delete(r.pages, p, p+1)
		default:
			r.pages[p] = slices.Delete(page, i, end)
			p++
		}
		if done {
			return
		}
		i = 0
	}
}

// iter walks over rows; it is of no use after a write.
type iter struct {
	rows     *rows
	from, to []byte
	reverse  bool
	page, i  int // of the next row
	at       row
}

func (r *rows) iter(from, to []byte, reverse bool) *iter {
	it := &iter{rows: r, from: from, to: to, reverse: reverse}
	switch {
	case !reverse && from != nil:
		it.page, it.i, _ = r.find(from)
	case reverse && to == nil:
		it.page = len(r.pages)
	case reverse:
		it.page, it.i, _ = r.find(to)
	}
	return it
}

// Next implements store.Iter.
func (it *iter) Next() bool {
	r := it.rows
	if it.reverse {
		if it.i == 0 {
			if it.page == 0 {
				return false
			}
			it.page--
			it.i = len(r.pages[it.page])
		}
		it.i--
		it.at = r.pages[it.page][it.i]
		return it.from == nil || bytes.Compare(it.at.key, it.from) >= 0
	}
	if it.page < len(r.pages) && it.i == len(r.pages[it.page]) {
		it.page, it.i = it.page+1, 0
	}
	if it.page >= len(r.pages) {
		return false
	}
	it.at = r.pages[it.page][it.i]
	it.i++
	return it.to == nil || bytes.Compare(it.at.key, it.to) < 0
}

// Key implements store.Iter.
func (it *iter) Key() []byte { return it.at.key }

// Value implements store.Iter.
func (it *iter) Value() []byte { return it.at.value }

// Close implements store.Iter.
func (it *iter) Close() error { return nil }
