package kstream_test

import (
	"encoding/binary"
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

var numbers = topology.NewTopic("numbers", serde.String, serde.Int64)

func positive(_ string, v int64) bool { return v > 0 }
func increment(v int64) int64         { return v + 1 }
func double(_ string, v int64) int64  { return 2 * v }
func same(k string, v int64) int64    { return v }

// chain is four stateless verbs and an end that adds up.
func chain(sum *int64) *topology.Topology {
	b := topology.NewBuilder()
	kstream.From(b, numbers).
		Filter(positive).
		MapValues(increment).
		MapValuesWithKey(double).
		SelectKey(same).
		ForEach(func(k, v int64) { *sum += k + v })
	return topology.Must(b.Build())
}

func TestFourVerbsAllocateNothing(t *testing.T) {
	var sum int64
	r := wiretest.New(t, chain(&sum), 0, nil)
	f := r.Source("numbers")
	in := &record.In{Key: nil, Value: binary.BigEndian.AppendUint64(nil, 3)}
	if n := testing.AllocsPerRun(1000, func() { f(r.Meta(), in) }); n != 0 {
		t.Errorf("%v allocations per record, want 0", n)
	}
	if sum == 0 {
		t.Error("no record came through")
	}
}

func TestTwoChildrenAllocateNothing(t *testing.T) {
	var sum int64
	b := topology.NewBuilder()
	s := kstream.From(b, numbers)
	s.MapValues(increment).ForEach(func(_ string, v int64) { sum += v })
	s.Filter(positive).ForEach(func(_ string, v int64) { sum += v })
	r := wiretest.New(t, topology.Must(b.Build()), 0, nil)
	f := r.Source("numbers")
	in := &record.In{Value: binary.BigEndian.AppendUint64(nil, 3)}
	if n := testing.AllocsPerRun(1000, func() { f(r.Meta(), in) }); n != 0 {
		t.Errorf("%v allocations per record, want 0", n)
	}
}

func BenchmarkFourVerbs(b *testing.B) {
	var sum int64
	r := wiretest.New(b, chain(&sum), 0, nil)
	f := r.Source("numbers")
	in := &record.In{Value: binary.BigEndian.AppendUint64(nil, 3)}
	b.ReportAllocs()
	for b.Loop() {
		f(r.Meta(), in)
	}
}
