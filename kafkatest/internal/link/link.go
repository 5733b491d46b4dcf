package link

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Faults is what goes wrong on a link. The zero value is a link that works.
type Faults struct {
	Cut    bool          // nothing passes either way; connections stay open, and what was sent is delivered after the cut
	Delay  time.Duration // of everything, each way
	Lost   *Lost         // answers that never arrive; nil: none
	Refuse bool          // connections are closed, and new ones refused, as where no process listens
}

// Lost says which answers are lost: their requests reach the broker and take effect.
type Lost struct {
	Keys  []int16 // of requests, in Kafka's numbering; empty: all. Needs a link that is not encrypted
	Times int     // how many are lost, after which the link is well again; 0: all until the fault is lifted
	Hang  bool    // the connection falls silent from the lost answer on, until the fault is lifted; otherwise it is closed
}

// A Link passes bytes between clients and one address.
type Link struct {
	addr string

	mu      sync.Mutex
	ln      net.Listener // nil: refused
	target  string       // empty: nobody listens there
	faults  Faults
	lost    int           // answers lost since the last Set
	changed chan struct{} // closed and replaced at each change of faults
	conns   map[*conn]struct{}
	closed  bool

	running sync.WaitGroup
}

// New makes a link that listens on a free port of the loopback. Until it has a target, its connections are closed.
func New() (*Link, error) {
	l := &Link{changed: make(chan struct{}), conns: map[*conn]struct{}{}}
	ln, err := listen()
	if err != nil {
		return nil, err
	}
	l.addr = ln.Addr().String()
	l.serve(ln)
	return l, nil
}

// Addr returns the address that clients use. It never changes.
func (l *Link) Addr() string { return l.addr }

// Target says where connections go from now on; those that exist stay where they are.
func (l *Link) Target(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = addr
}

// Faults returns what goes wrong now.
func (l *Link) Faults() Faults {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults
}

// LostSince returns how many answers were lost since the faults were last set.
func (l *Link) LostSince() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Set replaces all faults. Connections that a fault has left without an answer are closed, since what would come next on
// them makes no sense.
func (l *Link) Set(f Faults) error { return l.Change(func(now *Faults) { *now = f }) }

// Change is Set for some of the faults.
func (l *Link) Change(change func(*Faults)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	f := l.faults
	change(&f)
	if f.Refuse != (l.ln == nil) {
		if f.Refuse {
			l.ln.Close()
			l.ln = nil
			for c := range l.conns {
				c.end()
			}
		} else {
			ln, err := net.Listen("tcp", l.addr)
			if err != nil {
				return fmt.Errorf("link: the port of a broker that was down was taken meanwhile: %w", err)
			}
			l.serve(ln)
		}
	}
	l.faults, l.lost = f, 0
	for c := range l.conns {
		if c.silent.Load() {
			c.end()
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// Close ends the link and all its connections.
func (l *Link) Close() {
	l.mu.Lock()
	l.closed = true
	if l.ln != nil {
		l.ln.Close()
	}
	for c := range l.conns {
		c.end()
	}
	l.mu.Unlock()
	l.running.Wait()
}

// serve accepts connections until the listener is closed. Called with mu held, or before anybody else knows l.
func (l *Link) serve(ln net.Listener) {
	l.ln = ln
	l.running.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return // closed
			}
			l.mu.Lock()
			if l.closed || l.ln != ln {
				l.mu.Unlock()
				client.Close()
				continue
			}
			c := &conn{link: l, client: client, done: make(chan struct{}), asked: map[int32]int16{}}
			l.conns[c] = struct{}{}
			l.running.Go(c.run)
			l.mu.Unlock()
		}
	})
}

// state returns the faults, and what is closed when they change.
func (l *Link) state() (Faults, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults, l.changed
}

// lose decides whether an answer is lost, and counts it.
func (l *Link) lose(key int16, known bool) (lost, hang bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.faults.Lost
	if f == nil || f.Times > 0 && l.lost >= f.Times || len(f.Keys) > 0 && !(known && slices.Contains(f.Keys, key)) {
		return false, false
	}
	l.lost++
	return true, f.Hang
}
