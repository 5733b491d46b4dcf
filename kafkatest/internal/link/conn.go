package link

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	chunk  = 32 << 10
	queued = 64      // chunks on the way in one direction
	frames = 1 << 28 // a frame that says it is longer is none: the connection is encrypted
)

// A conn is a client's connection and its other half, to the broker.
type conn struct {
	link   *Link
	client net.Conn
	broker net.Conn
	done   chan struct{}
	once   sync.Once
	silent atomic.Bool // no answer passes any more

	mu    sync.Mutex
	asked map[int32]int16 // correlation id → key of requests on the way
	plain bool            // the first request looked like one of Kafka
}

// A piece is bytes on the way.
type piece struct {
	bytes []byte
	at    time.Time // when it was sent
}

// end closes both halves, once.
func (c *conn) end() {
	c.once.Do(func() {
		close(c.done)
		c.client.Close()
		if c.broker != nil {
			c.broker.Close()
		}
	})
}

// run connects to the broker and passes bytes until either side has gone.
func (c *conn) run() {
	defer func() {
		c.end()
		c.link.mu.Lock()
		delete(c.link.conns, c)
		c.link.mu.Unlock()
	}()
	c.link.mu.Lock()
	target := c.link.target
	c.link.mu.Unlock()
	if target == "" || !c.pass() { // nobody gets through a cut
		return
	}
	broker, err := net.DialTimeout("tcp", target, 10*time.Second)
	if err != nil {
		reset(c.client)
		return
	}
	c.link.mu.Lock() // end may be called by others meanwhile, under this mutex
	c.broker = broker
	c.link.mu.Unlock()
	select {
	case <-c.done:
		broker.Close()
		return
	default:
	}
	var ways sync.WaitGroup
	ways.Go(func() { defer c.end(); c.oneWay(c.client, broker, c.requests) })
	ways.Go(func() { defer c.end(); c.oneWay(broker, c.client, c.answers) })
	ways.Wait()
}

// reset closes a connection as a kernel does where no process listens.
func reset(client net.Conn) {
	if tcp, ok := client.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // at worst it is closed politely
	}
}

// pass waits while the link is cut. It reports false when the connection has ended.
func (c *conn) pass() bool {
	for {
		faults, changed := c.link.state()
		if !faults.Cut {
			return true
		}
		select {
		case <-changed:
		case <-c.done:
			return false
		}
	}
}

// late waits until a piece is due, and while the link is cut.
func (c *conn) late(p piece) bool {
	for {
		if !c.pass() {
			return false
		}
		faults, changed := c.link.state()
		wait := time.Until(p.at.Add(faults.Delay))
		if faults.Delay == 0 || wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-c.done:
			timer.Stop()
			return false
		}
		timer.Stop()
	}
}

// oneWay reads and passes on until one end closes. What was read before is still delivered.
func (c *conn) oneWay(from io.Reader, to io.Writer, look func() filter) {
	way := make(chan piece, queued)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(way)
		for {
			buf := make([]byte, chunk)
			n, err := from.Read(buf)
			if n > 0 {
				select {
				case way <- piece{buf[:n], time.Now()}:
				case <-c.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	defer reader.Wait()
	defer c.end() // before the wait: it ends the read
	filter := look()
	for p := range way {
		if !c.late(p) {
			return
		}
		if !filter(p.bytes, to) {
			return
		}
	}
	c.pass() // a cut hides the end of a connection too
}

// A filter passes bytes on. It reports false when the connection has to end.
type filter func(p []byte, to io.Writer) bool

// requests passes everything on, and notes which key each correlation id asks for.
func (c *conn) requests() filter {
	var f framer
	return func(p []byte, to io.Writer) bool {
		f.feed(p, func(head []byte) {
			if len(head) < 8 {
				return
			}
			c.mu.Lock()
			c.plain = true
			c.asked[int32(binary.BigEndian.Uint32(head[4:]))] = int16(binary.BigEndian.Uint16(head))
			c.mu.Unlock()
		})
		_, err := to.Write(p)
		return err == nil
	}
}

// answers passes whole answers on, except those to be lost. What is not Kafka's frames, because it is encrypted, is
// passed as it comes, and lost if all answers are.
func (c *conn) answers() filter {
	var held []byte // the beginning of an answer
	return func(p []byte, to io.Writer) bool {
		if c.silent.Load() {
			return true
		}
		if !c.framed() {
			if lost, hang := c.link.lose(0, false); lost {
				c.silent.Store(true)
				return hang
			}
			_, err := to.Write(p)
			return err == nil
		}
		held = append(held, p...)
		for len(held) >= 8 {
			size := 4 + int(binary.BigEndian.Uint32(held))
			if len(held) < size {
				break
			}
			id := int32(binary.BigEndian.Uint32(held[4:]))
			c.mu.Lock()
			key, known := c.asked[id]
			delete(c.asked, id)
			c.mu.Unlock()
			if lost, hang := c.link.lose(key, known); lost {
				c.silent.Store(true)
				return hang
			}
			if _, err := to.Write(held[:size]); err != nil {
				return false
			}
			held = held[size:]
		}
		held = append([]byte(nil), held...) // let go of what was passed on
		return true
	}
}

func (c *conn) framed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plain
}

// A framer finds the beginnings of frames in a stream of pieces.
type framer struct {
	head  []byte // up to 12 bytes: size, key, version, correlation id
	skip  int    // bytes of the present frame still to come
	alien bool   // not Kafka's frames
}

// feed calls found with the first 8 bytes of each frame, without its size.
func (f *framer) feed(p []byte, found func(head []byte)) {
	for len(p) > 0 && !f.alien {
		if f.skip > 0 {
			n := min(f.skip, len(p))
			f.skip -= n
			p = p[n:]
			continue
		}
		n := min(12-len(f.head), len(p))
		f.head = append(f.head, p[:n]...)
		p = p[n:]
		if len(f.head) < 12 {
			return
		}
		size := binary.BigEndian.Uint32(f.head)
		if size < 8 || size > frames {
			f.alien = true
			return
		}
		found(f.head[4:])
		f.skip = int(size) - 8
		f.head = f.head[:0]
	}
}
