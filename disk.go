package millrace

import (
	"context"
	"errors"
	"sync"

	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

// openState opens the slot's databases, if it has stores and they are not open yet.
func (p *process) openState(s *slot) error {
	if len(s.sub.Stores) == 0 || s.state != nil {
		return nil
	}
	var disk, places, mem []string
	for _, d := range s.sub.Stores {
		if d.InMemory {
			mem = append(mem, d.Name)
		} else {
			disk, places = append(disk, d.Name), append(places, layout.Place(d))
		}
	}
	st := &state{logs: map[string]*changelogOut{}}
	if len(mem) > 0 {
		st.mem = memstore.Open(mem...)
	}
	if len(disk) > 0 {
		st.path = p.dir.TaskPath(places, s.id.Partition)
		if err := p.paths.take(s.ctx, st.path); err != nil {
			return err
		}
		db, err := p.openDisk(st.path, disk)
		if err != nil {
			p.paths.give(st.path)
			return err
		}
		st.disk = db
	}
	s.state = st
	for _, d := range s.sub.Stores {
		if d.NoChangelog && !d.InMemory && !st.disk.Clean() {
			p.log.Warn("millrace: store without a changelog begins empty after an unclean stop", "task", s.id, "store", d.Name)
			if err := st.disk.Wipe(d.Name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// openDisk opens a database; one that cannot be read is set aside and rebuilt from the changelogs.
func (p *process) openDisk(path string, stores []string) (store.DB, error) {
	options := pebblestore.Options{Databases: p.databases}
	db, err := p.engine.Open(path, stores, options)
	var corrupt *store.CorruptError
	if errors.As(err, &corrupt) {
		aside, e := p.dir.SetAside(path)
		if e != nil {
			return nil, errors.Join(err, e)
		}
		p.log.Error("millrace: state cannot be read, it is rebuilt from its changelogs", "kept", aside, "error", err)
		db, err = p.engine.Open(path, stores, options)
	}
	return db, err
}

// closeState closes a slot's databases on a goroutine of their own: flushing takes its time, and nothing waits for it but the next
// opening of the same directory, and the end of the process.
func (p *process) closeState(s *slot) {
	st := s.state
	s.state = nil
	if st == nil {
		return
	}
	p.closers.Go(func() {
		if st.mem != nil {
			_ = st.mem.Close() // memory: nothing to lose
		}
		if st.disk != nil {
			if err := st.disk.Close(); err != nil {
				p.log.Error("millrace: close state", "task", s.id, "error", err)
			}
			p.paths.give(st.path)
		}
	})
}

// pathLocks lets one opener at a time have a directory: the next waits until the database is closed.
type pathLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when given back
}

func newPathLocks() *pathLocks { return &pathLocks{held: map[string]chan struct{}{}} }

func (l *pathLocks) take(ctx context.Context, path string) error {
	for {
		l.mu.Lock()
		busy, ok := l.held[path]
		if !ok {
			l.held[path] = make(chan struct{})
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (l *pathLocks) give(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held[path])
	delete(l.held, path)
}
