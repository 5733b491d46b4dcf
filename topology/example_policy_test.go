package topology_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

var numbers = topology.NewTopic("numbers", serde.String, serde.Int64)

// judged sends "1", "two" and "3" through a function that fails for the second, and prints what comes out.
func judged(policy topology.ErrorPolicy) *kstest.Driver {
	b := topology.NewBuilder()
	kstream.From(b, lines).OnError(policy).
		TryMapValues(func(v string) (int64, error) { return strconv.ParseInt(v, 10, 64) }).As("parse").To(numbers)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.OnError(policy))
	for _, v := range []string{"1", "two", "3"} {
		if d.Stopped() == nil {
			d.Input(lines).Send("k", v)
		}
	}
	for _, r := range d.Output(numbers).Rest() {
		fmt.Println(r.Value)
	}
	return d
}

// Law: a skipped record leaves no trace but a count.
func ExampleSkip() {
	d := judged(func(*topology.RecordError) topology.Action { return topology.Skip() })
	fmt.Println(d.Dropped())
	// Output:
	// 1
	// 3
	// map[skipped:1]
}

func ExampleFail() {
	d := judged(func(*topology.RecordError) topology.Action { return topology.Fail() })
	fmt.Println(d.Stopped() != nil)
	// Output:
	// 1
	// true
}

// The bytes of the source record go to another topic, in the same transaction, with headers that say what failed.
func ExampleDeadLetter() {
	d := judged(func(*topology.RecordError) topology.Action { return topology.DeadLetter("dead") })
	dead := d.Output(lines.Named("dead")).Next()
	node, _ := dead.Headers.Get("millrace.error.node")
	fmt.Printf("%s failed at %s\n", dead.Value, node)
	// Output:
	// 1
	// 3
	// two failed at parse
}

// A policy sees how often: here the third attempt is the last.
func ExampleRetry() {
	attempts := 0
	d := judged(func(e *topology.RecordError) topology.Action {
		if attempts++; attempts < 3 {
			return topology.Retry(0)
		}
		return topology.Skip()
	})
	fmt.Println(attempts, "attempts", d.Dropped())
	// Output:
	// 1
	// 3
	// 3 attempts map[skipped:1]
}

// The last window closes although nothing comes any more.
func ExampleBuilder_IdleAfter() {
	b := topology.NewBuilder()
	b.IdleAfter(time.Minute)
	kstream.From(b, lines).GroupByKey().WindowedBy(window.Tumbling(10*time.Second)).Count("counts").
		SuppressUntil("final", window.Closed).
		Then(kstream.FromTable).
		Map(func(k window.Key[string], n int64) (string, int64) { return k.Key, n }).To(numbers)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()), kstest.StartingAt(time.Unix(1000, 0)))
	d.Input(lines).SendAt(time.Unix(1000, 0), "pear", "")
	d.Output(numbers).ExpectNone()
	d.Advance(2 * time.Minute)
	r := d.Output(numbers).Next()
	fmt.Println(r.Key, r.Value)
	// Output: pear 1
}

// Where a topic is read from when the group has no offset.
func ExampleTopic_StartAt() {
	for _, s := range []topology.Start{topology.Earliest(), topology.Latest(), topology.Ago(time.Hour)} {
		_ = lines.StartAt(s)
		fmt.Println(s)
	}
	// Output:
	// earliest
	// latest
	// 1h0m0s ago
}
