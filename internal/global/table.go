package global

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Config says what a table is made of. OnError and OnDrop may be nil.
type Config struct {
	Global  *graph.Global
	DB      store.DB // closed by Close
	Policy  topology.ErrorPolicy
	OnError func(e *topology.RecordError, a topology.Action)
	OnDrop  func(node, reason string)
}

// Table is a global table of one process. Feed and what is about positions belong to one goroutine; views are read from
// any.
type Table struct {
	c      Config
	check  func(in *record.In) (null bool, err error)
	format layout.Format
	rows   *layout.Writer
	prefix []byte
	times  map[int32]int64 // highest event time by partition

	mu sync.Mutex // guards c.DB
}

// New returns a table over a database that was opened for its store.
func New(c Config) *Table {
	prefix := c.DB.Prefix(c.Global.Store.Name)
	return &Table{
		c: c, check: c.Global.Check(), format: layout.Of(c.Global.Store), rows: layout.NewWriter(prefix), prefix: prefix,
		times: map[int32]int64{},
	}
}

// changelog is the name under which the position in a partition is kept.
func (t *Table) changelog(partition int32) string {
	return t.c.Global.Topic + "/" + strconv.Itoa(int(partition))
}

// Checkpoint returns how far the rows go in a partition.
func (t *Table) Checkpoint(partition int32) (store.Checkpoint, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c.DB.Checkpoint(t.changelog(partition))
}

// Wipe removes all rows and the positions in the given number of partitions: rows do not say where they came from, so that
// none can be kept when one partition must be read anew.
func (t *Table) Wipe(partitions int32) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range partitions {
		if err := t.c.DB.Wipe(t.c.Global.Store.Name, t.changelog(p)); err != nil {
			return err
		}
	}
	return nil
}

// Feed applies records of a partition, after which the reader is at next; stamp is kept beside it, milliseconds since the
// epoch. restoring says that there are many: they are written for speed, and nobody should be reading yet. An error is
// fatal.
func (t *Table) Feed(partition int32, topicID [16]byte, recs []record.In, next, stamp int64, restoring bool) error {
	t.rows.Reset()
	for i := range recs {
		if err := t.take(partition, &recs[i]); err != nil {
			return err
		}
	}
	at := store.Checkpoint{Changelog: t.changelog(partition), TopicID: topicID, Offset: next, Stamp: stamp}
	rows := t.rows.Rows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if restoring {
		return t.c.DB.Load(rows, at)
	}
	for _, kv := range rows {
		var err error
		if kv.Value == nil {
			err = t.c.DB.Delete(kv.Key)
		} else {
			err = t.c.DB.Set(kv.Key, kv.Value)
		}
		if err != nil {
			return err
		}
	}
	return t.c.DB.Commit(at)
}

// Reasons for which records are dropped.
const (
	nullKey      = "null-key"
	negativeTime = "negative-time"
	skipped      = "skipped"
)

// take makes the row of a record.
func (t *Table) take(partition int32, in *record.In) error {
	g := t.c.Global
	if in.Key == nil {
		t.drop(nullKey)
		return nil
	}
	at, err := in.Time, error(nil)
	if f := g.Node.Source.Time; f != nil {
		seen, ok := t.times[partition]
		if !ok {
			seen = -1
		}
		at, err = f(g.Topic, partition, in, seen)
	}
	null := false
	if err == nil {
		null, err = t.check(in)
	}
	if err != nil {
		return t.judge(partition, in, err)
	}
	if at < 0 {
		t.drop(negativeTime)
		return nil
	}
	t.times[partition] = max(t.times[partition], at)
	e := layout.Entry{Key: in.Key, Value: in.Value, Headers: in.Headers, Time: at}
	if null {
		e.Value = nil
	}
	t.format.Rows(t.rows, &e)
	t.rows.Next()
	return nil
}

func (t *Table) drop(reason string) {
	if t.c.OnDrop != nil {
		t.c.OnDrop(t.c.Global.Node.Name, reason)
	}
}

// judge asks the error policy about a record that cannot be decoded. There is no transaction to write a dead letter in,
// and another attempt decodes no better: anything but Skip fails.
func (t *Table) judge(partition int32, in *record.In, err error) error {
	n := t.c.Global.Node
	e := &topology.RecordError{
		Position: topology.Position{Topic: t.c.Global.Topic, Partition: partition, Offset: in.Offset},
		Node:     n.Name, At: n.At, Key: in.Key, Value: in.Value, Err: err,
	}
	action := topology.Fail()
	if p := t.policy(); p != nil {
		if action = p(e); action.Kind != graph.Skip && action.Kind != graph.Fail {
			e.Err = fmt.Errorf("%w (the error policy returned %v, but a global table is read outside of transactions: only Skip and Fail apply)", err, action)
			action = topology.Fail()
		}
	}
	if t.c.OnError != nil {
		t.c.OnError(e, action)
	}
	if action.Kind == graph.Skip {
		t.drop(skipped)
		return nil
	}
	return e
}

// policy is that of the topic, else the app's.
func (t *Table) policy() topology.ErrorPolicy {
	if p, ok := t.c.Global.Node.Source.Policy.(topology.ErrorPolicy); ok && p != nil {
		return p
	}
	return t.c.Policy
}

// Flush makes all rows durable, with the positions, which it stamps first with the given time.
func (t *Table) Flush(stamp int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c.DB.Flush(stamp)
}

// Close closes the database. Views answer store.ErrClosed from then on.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c.DB.Close()
}
