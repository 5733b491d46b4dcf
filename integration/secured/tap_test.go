package secured

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
)

// A tap listens to what a client sends, and tells of each request in the version it is sent in, once.
type tap struct {
	first func(key, version int16)

	mu   sync.Mutex
	seen map[[2]int16]bool
}

func (t *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &tapped{conn, t}, nil
}

type tapped struct {
	net.Conn
	tap *tap
}

// Write sees whole requests: size, key, version, and so on.
func (c *tapped) Write(b []byte) (int, error) {
	if len(b) >= 8 && int(binary.BigEndian.Uint32(b)) == len(b)-4 {
		c.tap.note(int16(binary.BigEndian.Uint16(b[4:])), int16(binary.BigEndian.Uint16(b[6:])))
	}
	return c.Conn.Write(b)
}

func (t *tap) note(key, version int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[[2]int16]bool{}
	}
	if k := [2]int16{key, version}; !t.seen[k] {
		t.seen[k] = true
		t.first(key, version)
	}
}
