package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports of links and brokers are below those that the kernel gives to outgoing connections: a port that is closed for a
// while, as a killed broker's, must still be free when it is opened again.
const firstPort, lastPort = 12000, 30000

var errNoPort = fmt.Errorf("link: no free port from %d to %d of 127.0.0.1", firstPort, lastPort)

// listen opens a port that was free.
func listen() (net.Listener, error) {
	for range 200 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort)))
		if err == nil {
			return ln, nil
		}
	}
	return nil, errNoPort
}

// FreePorts returns n ports of 127.0.0.1 that were free a moment ago.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		ln, err := listen()
		if err != nil {
			return nil, err
		}
		defer ln.Close() // after the loop, so that no port is given twice
		tcp, ok := ln.Addr().(*net.TCPAddr)
		if !ok {
			return nil, errors.New("link: a TCP listener without a port")
		}
		ports[i] = tcp.Port
	}
	return ports, nil
}
