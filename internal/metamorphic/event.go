package metamorphic

import (
	"cmp"
	"slices"
)

// An event is a record as the oracle sees it: text, null where there is none, and the step that caused it.
type event struct {
	at         int // steps are numbered from 0
	key, value *string
	time       int64 // milliseconds since the epoch
}

// data are the events of a stream, or the updates of a table, by partition, each in the order of processing.
type data [][]event

// A world is what the oracle is asked about: all inputs of a run.
type world struct {
	partitions int
	inputs     map[string]data
}

// deal returns the partition of each step: that of its key, in turn where there is none.
func deal(partitions int, steps []Step) []int {
	var dealt []int
	turns := map[string]int{}
	for _, s := range steps {
		p := turns[s.Topic] % partitions
		if s.Key != nil {
			p = place(*s.Key, partitions)
		} else {
			turns[s.Topic]++
		}
		dealt = append(dealt, p)
	}
	return dealt
}

// enter deals the steps out to the partitions of their topics.
func enter(partitions int, steps []Step) *world {
	w := &world{partitions, map[string]data{}}
	for i, p := range deal(partitions, steps) {
		s := steps[i]
		if w.inputs[s.Topic] == nil {
			w.inputs[s.Topic] = make(data, partitions)
		}
		w.inputs[s.Topic][p] = append(w.inputs[s.Topic][p], event{i, s.Key, s.Value, s.Time})
	}
	return w
}

// of returns the events of a topic.
func (w *world) of(topic string) data {
	if d := w.inputs[topic]; d != nil {
		return d
	}
	return make(data, w.partitions)
}

// each applies f to every partition.
func (d data) each(f func(es []event) []event) data {
	out := make(data, len(d))
	for p := range d {
		out[p] = f(d[p])
	}
	return out
}

// merged returns the events of several streams in the order of the steps.
func merged(streams ...[]event) []event {
	all := slices.Concat(streams...)
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all
}

// shuffled returns the events where their keys belong; those without a key are gone.
func (d data) shuffled() data {
	out := make(data, len(d))
	for _, e := range merged(d...) {
		if e.key != nil {
			p := place(*e.key, len(d))
			out[p] = append(out[p], e)
		}
	}
	return out
}

// place is the partition of a key as Kafka's producers choose it: murmur2 of its bytes.
func place(key string, partitions int) int {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24
		k *= m
		k ^= k >> 24
		k *= m
		h = h*m ^ k
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return int(h&0x7fffffff) % partitions
}
