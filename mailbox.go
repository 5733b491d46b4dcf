package millrace

import "sync"

// A mailbox is an unbounded queue with one reader. What bounds it is flow control: the reader of Kafka stops before
// inputs grow beyond their mark.
type mailbox struct {
	mu    sync.Mutex
	queue []any
	spare []any
	wake  chan struct{} // has room for one: mail is there
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put appends a message. It never blocks.
func (m *mailbox) put(msg any) {
	m.mu.Lock()
	m.queue = append(m.queue, msg)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take returns all messages; the slice is valid until the next call.
func (m *mailbox) take() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		return nil
	}
	clear(m.spare)
	out := m.queue
	m.queue, m.spare = m.spare[:0], out
	return out
}
