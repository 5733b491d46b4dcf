package main

import (
	"maps"
	"slices"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// workloads are the topologies of the benchmarks. The three counts differ in their input only.
var workloads = map[string]func(*topology.Builder, contract.Options){
	"copy":       copyValues,
	"count-1k":   count,
	"count-100k": count,
	"count-1m":   count,
	"table-join": tableJoin,
}

func names() []string { return slices.Sorted(maps.Keys(workloads)) }

func raw(topic string) topology.Topic[[]byte, []byte] {
	return topology.NewTopic(topic, serde.Bytes, serde.Bytes)
}

func copyValues(b *topology.Builder, o contract.Options) {
	kstream.From(b, raw(o.In[0])).MapValues(invert).To(raw(o.Out))
}

// invert returns a new value: the old one with the bits of its first byte inverted.
func invert(v []byte) []byte {
	out := append([]byte(nil), v...)
	out[0] ^= 0xff
	return out
}

func count(b *topology.Builder, o contract.Options) {
	var opts []store.Option
	if o.CacheMB == 0 {
		opts = append(opts, store.NoCache()) // every update
	}
	kstream.From(b, raw(o.In[0])).GroupByKey().Count("count", opts...).To(topology.NewTopic(o.Out, serde.Bytes, serde.Int64))
}

func tableJoin(b *topology.Builder, o contract.Options) {
	rows := ktable.From(b, raw(o.In[1]), "rows")
	kstream.From(b, raw(o.In[0])).JoinTable(rows, concat).To(raw(o.Out))
}

// concat returns a new value: the stream's followed by the row's.
func concat(v, row []byte) []byte {
	out := make([]byte, 0, len(v)+len(row))
	return append(append(out, v...), row...)
}
