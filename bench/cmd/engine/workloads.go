package main

import (
	"maps"
	"slices"
	"time"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/workload"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// workloads are the topologies of the benchmarks. The three counts differ in their input only.
var workloads = map[string]func(*topology.Builder, contract.Options){
	"copy":       copyValues,
	"count-1k":   count,
	"count-100k": count,
	"count-1m":   count,
	"window":     countMinutes,
	"table-join": tableJoin,

	"session":      countSessions,
	"stream-join":  streamJoin,
	"shuffle":      shuffle,
	"shuffle-100k": shuffle,
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
	kstream.From(b, raw(o.In[0])).GroupByKey().Count("count", updates(o)...).To(topology.NewTopic(o.Out, serde.Bytes, serde.Int64))
}

// updates are the options of a store whose every update goes on, or the last of each commit.
func updates(o contract.Options) []store.Option {
	if o.CacheMB == 0 {
		return []store.Option{store.NoCache()}
	}
	return nil
}

func countMinutes(b *topology.Builder, o contract.Options) {
	kstream.From(b, raw(o.In[0])).GroupByKey().WindowedBy(window.Tumbling(time.Minute)).Count("count", updates(o)...).
		To(topology.NewTopic(o.Out, window.KeySerde(serde.Bytes, time.Minute), serde.Int64))
}

func countSessions(b *topology.Builder, o contract.Options) {
	kstream.From(b, raw(o.In[0])).GroupByKey().WindowedBySession(window.Session(10*time.Second)).Count("count", updates(o)...).
		To(topology.NewTopic(o.Out, window.SessionKeySerde(serde.Bytes), serde.Int64))
}

func streamJoin(b *topology.Builder, o contract.Options) {
	mates := kstream.From(b, raw(o.In[1]))
	kstream.From(b, raw(o.In[0])).JoinStream("join", mates, window.Within(10*time.Second), concat).To(raw(o.Out))
}

// shuffle sends each record to the rule that it matches, counts them there, and puts out every tenth count.
func shuffle(b *topology.Builder, o contract.Options) {
	w, err := workload.Named(o.Workload)
	if err != nil {
		panic(err)
	}
	matched := kstream.From(b, raw(o.In[0])).FlatMap(func(_, v []byte, emit func(int64, []byte)) {
		if rule, ok := workload.Matches(v, w.Rules()); ok {
			emit(int64(rule), v)
		}
	})
	counts := matched.WithSerdes(serde.Int64, serde.Bytes).Repartition("rules").GroupByKey().Count("count", store.NoCache())
	kstream.FromTable(counts).
		Filter(func(_, n int64) bool { return n%10 == 0 }).
		To(topology.NewTopic(o.Out, serde.Int64, serde.Int64))
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
