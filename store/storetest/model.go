package storetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/millrace-streams/millrace/store"
)

// names are the stores of random histories.
var names = []string{"a", "b"}

// A model is a database as plain maps, and its whole history. Keys are those of rows without prefixes.
type model struct {
	parts map[string]*modelPart
	marks []mark
}

type modelPart struct {
	rows      map[string]string // as reads see them
	committed map[string]string
	dirty     []string         // in order of the first write
	touched   map[string]int   // key → number of the last change of any kind
	offset    int64            // of the last checkpoint, -1 for none
	next      int64            // offset of the next commit
	history   map[int64]rowmap // what was committed with each checkpoint; offset -1 is nothing at all
}

type rowmap = map[string]string

// mark is a savepoint.
type mark struct {
	id    int
	rows  map[string]rowmap
	dirty map[string][]string
}

func newModel() *model {
	m := &model{parts: map[string]*modelPart{}}
	for _, n := range names {
		m.parts[n] = &modelPart{rows: rowmap{}, committed: rowmap{}, touched: map[string]int{}, offset: -1, history: map[int64]rowmap{-1: {}}}
	}
	return m
}

// write sets or deletes a row in the open transaction.
func (p *modelPart) write(k, v string, has bool, now int) {
	if !slices.Contains(p.dirty, k) {
		p.dirty = append(p.dirty, k)
	}
	p.put(k, v, has, now)
}

func (p *modelPart) put(k, v string, has bool, now int) {
	p.touched[k] = now
	if has {
		p.rows[k] = v
	} else {
		delete(p.rows, k)
	}
}

func (m *model) wrote() bool {
	return slices.ContainsFunc(names, func(n string) bool { return len(m.parts[n].dirty) > 0 })
}

func (m *model) mark(id int) {
	k := mark{id, map[string]rowmap{}, map[string][]string{}}
	for n, p := range m.parts {
		k.rows[n], k.dirty[n] = maps.Clone(p.rows), slices.Clone(p.dirty)
	}
	m.marks = append(m.marks, k)
}

// rollback goes back to the i-th savepoint, which stays.
func (m *model) rollback(i, now int) {
	k := m.marks[i]
	m.marks = m.marks[:i+1]
	for n, p := range m.parts {
		for _, key := range p.dirty {
			p.touched[key] = now
		}
		p.rows, p.dirty = maps.Clone(k.rows[n]), slices.Clone(k.dirty[n])
	}
}

func (m *model) abort(now int) {
	m.marks = nil
	for _, p := range m.parts {
		for _, k := range p.dirty {
			p.touched[k] = now
		}
		p.rows, p.dirty = maps.Clone(p.committed), nil
	}
}

// commit returns the checkpoints to commit with: those of stores that were written.
func (m *model) commit() (cps []store.Checkpoint) {
	m.marks = nil
	for _, n := range names {
		p := m.parts[n]
		if len(p.dirty) == 0 {
			continue
		}
		p.committed, p.dirty = maps.Clone(p.rows), nil
		p.advance()
		cps = append(cps, checkpoint(n, p.offset))
	}
	return cps
}

// advance notes what is committed under a new offset.
func (p *modelPart) advance() {
	p.next++
	p.offset = p.next
	p.history[p.offset] = maps.Clone(p.committed)
}

// sorted returns the rows with from <= key < to as k=v; an empty to is open.
func sorted(rows rowmap, from, to string, reverse bool) []string {
	out := []string{}
	for _, k := range slices.Sorted(maps.Keys(rows)) {
		if k >= from && (to == "" || k < to) {
			out = append(out, k+"="+rows[k])
		}
	}
	if reverse {
		slices.Reverse(out)
	}
	return out
}

// lines returns the dirty rows as suite.dirty does.
func (p *modelPart) lines() []string {
	out := []string{}
	for _, k := range p.dirty {
		before, had := p.committed[k]
		value, has := p.rows[k]
		out = append(out, fmt.Sprintf("%s:%s>%s", k, show([]byte(before), had), show([]byte(value), has)))
	}
	return out
}
