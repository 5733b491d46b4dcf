package workload

import (
	"fmt"
	"strings"
)

// A Workload is one row of the table of workloads.
type Workload struct {
	Name    string
	Ceiling string // the yardstick program that knows it, "" for none
	Records int64  // stream records of a run, unless told otherwise: enough for some seconds of the slowest program
	Logged  bool   // it keeps state with a changelog
	Through bool   // its engines read more than the stream: a second one, or topics of their own

	kind kind
	keys uint64 // distinct keys; of copy, as many as records
}

type kind uint8

const (
	copying kind = iota
	counting
	windowing
	joining
	sessioning
	pairing
	shuffling
)

var table = []Workload{
	{Name: "copy", Ceiling: "b0", Records: 4_000_000, kind: copying},
	{Name: "count-1k", Ceiling: "h", Records: 3_000_000, Logged: true, kind: counting, keys: 1_000},
	{Name: "count-100k", Ceiling: "h", Records: 2_000_000, Logged: true, kind: counting, keys: 100_000},
	{Name: "count-1m", Ceiling: "h", Records: 2_000_000, Logged: true, kind: counting, keys: 1_000_000},
	{Name: "window", Ceiling: "h", Records: 2_000_000, Logged: true, kind: windowing, keys: 10_000},
	{Name: "table-join", Records: 2_000_000, Logged: true, kind: joining, keys: 100_000},
	{Name: "session", Records: 1_000_000, Logged: true, kind: sessioning, keys: 10_000},
	{Name: "stream-join", Records: 500_000, Logged: true, Through: true, kind: pairing, keys: 10_000},
	{Name: "shuffle", Records: 1_000_000, Logged: true, Through: true, kind: shuffling, keys: 1_000},
	{Name: "shuffle-100k", Records: 1_000_000, Logged: true, Through: true, kind: shuffling, keys: 100_000},
}

// All returns every workload.
func All() []Workload { return append([]Workload(nil), table...) }

// Named returns a workload by its name.
func Named(name string) (Workload, error) {
	var names []string
	for _, w := range table {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fmt.Errorf("workload %q is not known: want one of %s", name, strings.Join(names, ", "))
}

// An Input is what one topic is loaded with.
type Input struct {
	Records int64
	// Fill makes record i, appending to r's key and value, which it cuts to length 0 first.
	Fill func(i int64, r *Record)
}

// Stream returns the input of n records that the engine is measured by. start is the time of the first one in
// milliseconds since the epoch.
func (w Workload) Stream(n, start int64) Input {
	return Input{Records: n, Fill: func(i int64, r *Record) {
		r.Key = appendKey(r.Key[:0], w.key(i))
		r.Value = appendBytes(r.Value[:0], saltValue, uint64(i), w.valueBytes())
		r.Time = w.time(i, start)
		r.Marked = marked(i)
	}}
}

// Mates returns the second input of a join of two streams, as long as the first, and whether there is one.
func (w Workload) Mates(n, start int64) (Input, bool) {
	if w.kind != pairing {
		return Input{}, false
	}
	return Input{Records: n, Fill: func(i int64, r *Record) {
		r.Key = appendKey(r.Key[:0], w.mateKey(i))
		r.Value = appendValue(r.Value[:0], saltMate, uint64(i))
		r.Time = start + mateAt(i)
		r.Marked = false
	}}, true
}

// Rows returns the second input, the rows of the table that the stream is joined with, and whether there is one. They are
// older than the stream.
func (w Workload) Rows(start int64) (Input, bool) {
	if w.kind != joining {
		return Input{}, false
	}
	return Input{Records: int64(w.keys), Fill: func(i int64, r *Record) {
		r.Key = appendKey(r.Key[:0], uint64(i))
		r.Value = appendValue(r.Value[:0], saltRow, uint64(i))
		r.Time = start - 60_000
		r.Marked = false
	}}, true
}

// Span returns how much time n records of the stream cover, in milliseconds.
func (w Workload) Span(n int64) int64 { return w.time(n, 0) }

// key returns the number of the key of stream record i.
func (w Workload) key(i int64) uint64 {
	if w.kind == copying || w.kind == shuffling {
		return uint64(i)
	}
	return choose(uint64(i), w.keys)
}

// valueBytes returns the length of the stream's values.
func (w Workload) valueBytes() int {
	if w.kind == shuffling {
		return longBytes
	}
	return valueBytes
}

// time returns when stream record i happened: 1 ms after the one before it where windows are cut, 2 ms where the records of
// another stream lie between them, else 1 µs.
func (w Workload) time(i, start int64) int64 {
	switch w.kind {
	case windowing, sessioning:
		return start + i
	case pairing:
		return start + streamAt(i)
	}
	return start + i/1000
}

// A Checker compares the output of a run with what is expected. Records of one partition come in their order; partitions
// may be mixed.
type Checker interface {
	// Check takes the next record. It keeps nothing of it. An error says what is wrong with it; the output is wrong then.
	Check(r *Record) error
	// Complete says what is missing after the last record, nil if nothing is.
	Complete() error
	// Records returns how many records were checked.
	Records() int64
}

// Checker returns a checker for the output of the stream of n records that begins at start. everyUpdate says that each
// input record of an aggregation gives one output record; else once per key and commit is enough.
func (w Workload) Checker(n, start int64, everyUpdate bool) Checker {
	switch w.kind {
	case counting:
		return newCountChecker(w, n, everyUpdate)
	case windowing:
		return newWindowChecker(w, n, start, everyUpdate)
	case joining:
		return &joinChecker{sequence: newSequence(n), w: w}
	case sessioning:
		return newSessionChecker(w, n, start, everyUpdate)
	case pairing:
		return newPairChecker(w, n)
	case shuffling:
		return newShuffleChecker(w, n)
	}
	return &copyChecker{sequence: newSequence(n), w: w}
}
