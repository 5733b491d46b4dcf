package topology

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
)

// IdleAfter has event time go on when records do not: once a task has had none for d of wall-clock time, its stream time
// moves on with the wall clock, a step each second at most, as if a record of that time had come. So windows close, what was
// suppressed or buffered is sent, rows reach their time to live, and timers of stream time run, although the input is quiet.
//
// The price is that a record that comes after such a quiet time may be late: d and the grace of windows should cover how long
// producers are silent and then send what happened meanwhile. A task goes on only when it is proven that none of its inputs
// holds a record; one that cannot reach its brokers stands still. What was late stays late over a restart. Without IdleAfter
// event time moves with records alone, as in Kafka Streams. d must be at least a millisecond.
func (b *Builder) IdleAfter(d time.Duration) {
	g := (*graph.Builder)(b)
	if d < time.Millisecond {
		g.Report(graph.Caller(), "IdleAfter", fmt.Errorf("%v is too short: must be at least 1ms", d))
		return
	}
	g.SetIdle(d)
}
