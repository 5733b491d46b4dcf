package link

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// broker answers each frame of Kafka with its correlation id and the text "ok". What it was asked it tells.
func broker(t *testing.T) (addr string, asked <-chan int32) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ids := make(chan int32, 10_000) // more than any test asks
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					var size uint32
					if binary.Read(in, binary.BigEndian, &size) != nil {
						return
					}
					body := make([]byte, size)
					if _, err := io.ReadFull(in, body); err != nil {
						return
					}
					ids <- int32(binary.BigEndian.Uint32(body[4:]))
					answer := binary.BigEndian.AppendUint32(nil, 6)
					answer = append(answer, body[4:8]...)
					if _, err := c.Write(append(answer, "ok"...)); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { ln.Close(); conns.Wait() })
	return ln.Addr().String(), ids
}

func linked(t *testing.T) (*Link, <-chan int32) {
	t.Helper()
	addr, asked := broker(t)
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	l.Target(addr)
	t.Cleanup(l.Close) // before the broker's, which waits for its connections
	return l, asked
}

func dial(t *testing.T, l *Link) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request of a key with a correlation id, in two pieces.
func ask(t *testing.T, c net.Conn, key int16, id int32) {
	t.Helper()
	frame := binary.BigEndian.AppendUint32(nil, 20)
	frame = binary.BigEndian.AppendUint16(frame, uint16(key))
	frame = binary.BigEndian.AppendUint16(frame, 0)
	frame = binary.BigEndian.AppendUint32(frame, uint32(id))
	frame = append(frame, make([]byte, 12)...)
	for _, part := range [][]byte{frame[:7], frame[7:]} {
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
}

// answer returns the correlation id of the next answer.
func answer(c net.Conn) (int32, error) {
	var got [10]byte
	if _, err := io.ReadFull(c, got[:]); err != nil {
		return 0, err
	}
	return int32(binary.BigEndian.Uint32(got[4:])), nil
}

func wantAnswer(t *testing.T, c net.Conn, want int32) {
	t.Helper()
	if got, err := answer(c); err != nil || got != want {
		t.Fatalf("answer %d, %v; want that to %d", got, err, want)
	}
}

// wantSilence reads for a moment and wants a timeout: neither an answer nor an end.
func wantSilence(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if id, err := answer(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("answer %d, %v; want silence", id, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, l *Link, f Faults) {
	t.Helper()
	if err := l.Set(f); err != nil {
		t.Fatal(err)
	}
}

func TestLinkPassesRequestsAndAnswers(t *testing.T) {
	l, _ := linked(t)
	c := dial(t, l)
	for id := range int32(1000) {
		ask(t, c, 3, id)
		wantAnswer(t, c, id)
	}
}

func TestCutHoldsEverythingUntilItIsHealed(t *testing.T) {
	l, asked := linked(t)
	old := dial(t, l)
	ask(t, old, 3, 1)
	wantAnswer(t, old, 1)
	<-asked
	set(t, l, Faults{Cut: true})
	ask(t, old, 3, 2)
	wantSilence(t, old)
	fresh := dial(t, l) // accepted, as by a kernel whose process hangs
	ask(t, fresh, 3, 3)
	wantSilence(t, fresh)
	select {
	case id := <-asked:
		t.Fatalf("request %d went through a cut", id)
	default:
	}
	set(t, l, Faults{})
	wantAnswer(t, old, 2)
	wantAnswer(t, fresh, 3)
}

func TestDelayIsPaidEachWay(t *testing.T) {
	l, _ := linked(t)
	c := dial(t, l)
	const delay = 20 * time.Millisecond
	set(t, l, Faults{Delay: delay})
	began := time.Now()
	ask(t, c, 3, 1)
	wantAnswer(t, c, 1)
	if took := time.Since(began); took < 2*delay { // slower is the machine's business
		t.Errorf("there and back took %v; want at least %v", took, 2*delay)
	}
}

func TestEndOfADelayLetsGoOfWhatWaits(t *testing.T) {
	l, _ := linked(t)
	c := dial(t, l)
	set(t, l, Faults{Delay: time.Hour})
	ask(t, c, 3, 1)
	wantSilence(t, c)
	set(t, l, Faults{})
	wantAnswer(t, c, 1)
}

func TestLostAnswerClosesItsConnectionAfterTheRequestTookEffect(t *testing.T) {
	l, asked := linked(t)
	set(t, l, Faults{Lost: &Lost{Keys: []int16{26}, Times: 1}})
	c := dial(t, l)
	ask(t, c, 3, 1)
	wantAnswer(t, c, 1) // of another key
	ask(t, c, 26, 2)
	if id, err := answer(c); err == nil {
		t.Fatalf("got the answer to %d; want it lost", id)
	}
	if first, second := <-asked, <-asked; first != 1 || second != 2 {
		t.Errorf("the broker was asked %d, %d; want both requests", first, second)
	}
	if l.LostSince() != 1 {
		t.Errorf("%d answers lost; want 1", l.LostSince())
	}
	c = dial(t, l)
	ask(t, c, 26, 3)
	wantAnswer(t, c, 3) // one was to be lost, and one was
}

func TestHangingAnswerSilencesItsConnectionUntilTheFaultIsLifted(t *testing.T) {
	l, _ := linked(t)
	set(t, l, Faults{Lost: &Lost{Keys: []int16{26}, Times: 1, Hang: true}})
	c := dial(t, l)
	ask(t, c, 26, 1)
	wantSilence(t, c)
	ask(t, c, 3, 2)
	wantSilence(t, c) // answers do not overtake each other
	other := dial(t, l)
	ask(t, other, 26, 3)
	wantAnswer(t, other, 3)
	set(t, l, Faults{})
	if id, err := answer(c); err == nil {
		t.Errorf("got the answer to %d on a connection that has lost one; want it closed", id)
	}
	ask(t, other, 3, 4)
	wantAnswer(t, other, 4)
}

func TestRefusingLinkClosesAndOpensItsPort(t *testing.T) {
	l, _ := linked(t)
	c := dial(t, l)
	ask(t, c, 3, 1)
	wantAnswer(t, c, 1)
	set(t, l, Faults{Refuse: true})
	if id, err := answer(c); err == nil {
		t.Errorf("answer to %d over a link that refuses", id)
	}
	if _, err := net.Dial("tcp", l.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial = %v; want it refused", err)
	}
	set(t, l, Faults{})
	c = dial(t, l)
	ask(t, c, 3, 2)
	wantAnswer(t, c, 2)
}

func TestLinkToNowhereClosesConnections(t *testing.T) {
	l, _ := linked(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for _, target := range []string{"", ln.Addr().String()} {
		l.Target(target)
		c, err := net.Dial("tcp", l.Addr())
		if err != nil {
			continue // the reset was faster
		}
		if id, err := answer(c); err == nil {
			t.Errorf("answer to %d from target %q", id, target)
		}
		c.Close()
	}
}

// What is encrypted has no frames: it passes as it comes, and is lost as a whole.
func TestEncryptedConnectionsPassAndAreLostAsAWhole(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var echo sync.WaitGroup
	echo.Go(func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.Copy(c, c)
	})
	t.Cleanup(func() { l.Close(); ln.Close(); echo.Wait() })
	l.Target(ln.Addr().String())
	c := dial(t, l)
	hello := append([]byte{0x16, 3, 1, 2, 0}, make([]byte, 700)...) // a handshake begins so
	got := make([]byte, len(hello))
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	set(t, l, Faults{Lost: &Lost{}})
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, got); err == nil {
		t.Error("an answer came; want all lost")
	}
}
