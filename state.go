package millrace

import (
	"context"
	"fmt"
	"sync"
)

// State is the state of an app.
//
//	Created ──► Rebalancing ◄──► Running
//	                 │              │
//	                 └──► Stopping ◄┘ ──► Stopped, Failed
type State uint8

const (
	Created     State = iota
	Rebalancing       // joining, or tasks are being opened and restored
	Running           // all tasks of this process are running
	Stopping          // committing and closing
	Stopped           // Run returned nil
	Failed            // Run returned an error
)

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

var stateNames = [...]string{"created", "rebalancing", "running", "stopping", "stopped", "failed"}

// stateBox holds the state and wakes those who wait for a change.
type stateBox struct {
	mu      sync.Mutex
	state   State
	changed chan struct{} // closed at the next change; nil: nobody waits
	notify  func(from, to State)
}

func (b *stateBox) get() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// set changes the state; from Stopping on only later states are taken.
func (b *stateBox) set(to State) {
	b.mu.Lock()
	from := b.state
	if from == to || (from >= Stopping && to < from) {
		b.mu.Unlock()
		return
	}
	b.state = to
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	b.mu.Unlock()
	if b.notify != nil {
		b.notify(from, to)
	}
}

// wait blocks until the state is s, can no longer become s, or ctx ends.
func (b *stateBox) wait(ctx context.Context, s State) error {
	for {
		b.mu.Lock()
		now := b.state
		if now == s {
			b.mu.Unlock()
			return nil
		}
		if now >= Stopped {
			b.mu.Unlock()
			return fmt.Errorf("%w: the app has %v", ErrNotRunning, now)
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("millrace: waiting for state %v, now %v: %w", s, now, ctx.Err())
		case <-changed:
		}
	}
}
