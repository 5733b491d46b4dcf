package task

import (
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// A guard is a DB as operators see it. It remembers the first error of the engine, since user code may recover the
// panic a store ends a handler with, and go on as if the write had happened. And it refuses everything once its task is
// closed: a goroutine that outlives the task must not touch rows that belong to the next owner.
type guard struct {
	store.DB
	t      *Task
	headed bool         // deletions are logged with headers
	walks  []*guardIter // closed, to be used again
}

func (g *guard) note(err error) error {
	if err != nil && g.t.broken == nil && !g.t.closed.Load() {
		g.t.broken = err
	}
	return err
}

func (g *guard) Get(key []byte) ([]byte, bool, error) {
	if g.t.closed.Load() {
		return nil, false, store.ErrClosed
	}
	value, ok, err := g.DB.Get(key)
	return value, ok, g.note(err)
}

func (g *guard) Set(key, value []byte) error {
	if ok, err := g.writable(); !ok {
		return err
	}
	return g.note(g.DB.Set(key, value))
}

func (g *guard) Insert(key, value []byte) error {
	if ok, err := g.writable(); !ok {
		return err
	}
	return g.note(g.DB.Insert(key, value))
}

func (g *guard) Delete(key []byte) error {
	if ok, err := g.writable(); !ok {
		return err
	}
	var headers []record.Header
	if g.headed {
		headers = g.t.meta.Headers
	}
	g.t.deleted.note(key, g.t.meta.Time, headers)
	return g.note(g.DB.Delete(key))
}

func (g *guard) Expire(from, to []byte) error {
	if ok, err := g.writable(); !ok {
		return err
	}
	return g.note(g.DB.Expire(from, to))
}

func (g *guard) writable() (bool, error) {
	if g.t.closed.Load() {
		return false, store.ErrClosed
	}
	switch g.t.stage {
	case running, firing, emitting:
		return true, nil
	case closing:
		return false, nil
	}
	return false, errIdle
}

func (g *guard) Range(from, to []byte, reverse bool) store.Iter {
	if g.t.closed.Load() {
		return closedIter{}
	}
	var it *guardIter
	if n := len(g.walks); n > 0 {
		it, g.walks = g.walks[n-1], g.walks[:n-1]
	} else {
		it = &guardIter{g: g}
	}
	it.Iter = g.DB.Range(from, to, reverse)
	return it
}

type guardIter struct {
	store.Iter
	g *guard
}

func (it *guardIter) Close() error {
	err := it.g.note(it.Iter.Close())
	it.Iter = closedIter{}
	it.g.walks = append(it.g.walks, it)
	return err
}

// closedIter is a walk over a store whose task is closed.
type closedIter struct{}

func (closedIter) Next() bool    { return false }
func (closedIter) Key() []byte   { return nil }
func (closedIter) Value() []byte { return nil }
func (closedIter) Close() error  { return store.ErrClosed }
