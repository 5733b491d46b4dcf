package secured

import (
	"log/slog"
	"sync"
	"testing"
)

// logTail keeps the end of a log.
type logTail struct {
	mu  sync.Mutex
	buf []byte
}

func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if n := len(l.buf) - 16<<10; n > 0 {
		l.buf = l.buf[n:]
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}

// quietly returns a logger that is heard only if the test fails, and what it is told.
func quietly(t *testing.T) (*slog.Logger, *logTail) {
	tail := &logTail{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the app said at the end:\n%s", tail)
		}
	})
	return slog.New(slog.NewTextHandler(tail, &slog.HandlerOptions{Level: slog.LevelDebug})), tail
}
