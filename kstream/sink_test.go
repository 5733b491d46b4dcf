package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
)

// A ledger is another system: it keeps lines, and with them the offset of the last one, of each partition.
type ledger struct {
	lines  []string
	last   map[int32]int64
	epochs map[int32]int64
	begun  int
	writes int
	fail   func() error // after a Write was stored; nil: it succeeds
}

func (l *ledger) Begin(_ context.Context, p topology.Position) (epoch, last int64, err error) {
	if l.last == nil {
		l.last, l.epochs = map[int32]int64{}, map[int32]int64{}
	}
	if _, known := l.last[p.Partition]; !known {
		l.last[p.Partition] = -1
	}
	l.begun++
	l.epochs[p.Partition]++
	return l.epochs[p.Partition], l.last[p.Partition], nil
}

func (l *ledger) Write(_ context.Context, p topology.Position, epoch int64, records []topology.Record[string, string]) error {
	if epoch != l.epochs[p.Partition] {
		return errors.New("an older owner")
	}
	for _, r := range records {
		l.lines = append(l.lines, fmt.Sprint(r.Key, "=", r.Value, " ", r.HasValue()))
	}
	l.last[p.Partition] = p.Offset
	l.writes++
	if l.fail != nil {
		return l.fail()
	}
	return nil
}

// What is written twice to the sink's topic is written twice, what is processed twice only once.
func ExampleStream_ToSink() {
	l := &ledger{}
	b := topology.NewBuilder()
	kstream.From(b, words).MapValues(strings.ToUpper).ToSink("ledger", l)
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("a", "book")
	d.Input(words).Delete("a")
	d.Crash()
	d.Input(words).Send("b", "pen")
	for _, line := range l.lines {
		fmt.Println(line)
	}
	// Output:
	// a=BOOK true
	// a= false
	// b=PEN true
}

// through is the topic in front of a sink called s.
var through = joinLeft.Named("app-s-repartition")

func sinking(t *testing.T, l *ledger, opts ...kstest.Option) *kstest.Driver {
	b := topology.NewBuilder()
	kstream.From(b, joinLeft).ToSink("s", l)
	return kstest.New(t, topology.Must(b.Build()), opts...)
}

func (l *ledger) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.ReplaceAll(strings.Join(l.lines, " "), " true", ""); got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestASinkIsWrittenOnceAlthoughTheAppCrashesBetweenWriteAndCommit(t *testing.T) {
	l := &ledger{}
	d := sinking(t, l, kstest.ManualCommit())
	in := d.Input(through)
	in.Send("k", "a")
	in.Send("k", "b")
	l.expect(t, "k=a k=b")
	d.Crash() // no offset is committed: both are read again
	in.Send("k", "c")
	l.expect(t, "k=a k=b k=c")
	d.Commit()
	d.Crash()
	in.Send("k", "d")
	l.expect(t, "k=a k=b k=c k=d")
	if l.begun != 3 {
		t.Errorf("Begin was called %d times, want once for each start", l.begun)
	}
}

func TestASinkThatStoredAndFailedIsAskedWhatItHas(t *testing.T) {
	l, failures := &ledger{}, 0
	l.fail = func() error {
		if failures++; failures < 3 {
			return errors.New("connection lost")
		}
		return nil
	}
	d := sinking(t, l)
	d.Input(joinLeft).Send("k", "a")
	d.Input(joinLeft).Send("k", "b")
	l.expect(t, "k=a k=b")
	if l.begun != 3 {
		t.Errorf("Begin was called %d times, want 3", l.begun)
	}
}

func TestASinkThatPanicsFailsTheRecord(t *testing.T) {
	l := &ledger{fail: func() error { panic("no") }}
	d := sinking(t, l, kstest.OnError(func(e *topology.RecordError) topology.Action { return topology.Fail() }))
	d.Input(joinLeft).Send("k", "a")
	if err := d.Stopped(); err != nil { // stored before it panicked: Begin says so
		t.Errorf("%v", err)
	}
	l.expect(t, "k=a")
}

func TestASinkTakesManyRecordsAtOnce(t *testing.T) {
	l := &ledger{}
	d := sinking(t, l, kstest.ManualCommit())
	in := d.Input(joinLeft)
	for i := range 20 {
		in.Send("k", fmt.Sprint(i))
	}
	l.expect(t, "")
	d.Commit()
	if len(l.lines) != 20 || l.writes != 1 {
		t.Errorf("%d lines in %d writes, want 20 in one", len(l.lines), l.writes)
	}
}

func TestASinkMustBeGiven(t *testing.T) {
	b := topology.NewBuilder()
	kstream.From(b, joinLeft).ToSink("s", nil)
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "the sink is nil") {
		t.Errorf("%v", err)
	}
}
