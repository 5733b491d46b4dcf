package metamorphic

import (
	"cmp"
	"slices"
	"strings"
)

// A within says how two streams are joined: a record of the left side with those of the right from before to after its time.
type within struct {
	kind                 string // inner, left, outer
	before, after, grace int64
}

// A side is what a record of a join of streams is remembered by.
type side struct {
	event
	left    bool
	waits   bool // for a partner, and nothing was sent of it
	missing bool // it came when its store had forgotten its time
}

// joinStreams is what the oracle claims of joins of two streams: a record with key and value meets those of the other side
// within the window that came before it and are remembered, by time and then as they came; a pair has the later time. Either side remembers
// what is no older than its own latest time less the window and the grace. A record of an outer side that meets none is sent
// alone at once if its window is over by the time of both sides, and else once window and grace are over and it has met none
// since: by a record that does not lag behind that time, before its pairs, ordered by time, right side first, and key. Not every such
// record looks for what is over, but as in Kafka Streams one for whose own side the earliest that may wait would be over; and one
// that looks takes the last that it saw for the earliest. A record of an outer side without a key is sent alone at once. Every
// record moves the time on.
func joinStreams(j within, left, right data) data {
	out := make(data, len(left))
	for p := range left {
		out[p] = j.joinTask(left[p], right[p])
	}
	return out
}

func (j within) joinTask(left, right []event) (out []event) {
	var seen, arriving []side
	for _, e := range left {
		arriving = append(arriving, side{event: e, left: true})
	}
	for _, e := range right {
		arriving = append(arriving, side{event: e})
	}
	slices.SortStableFunc(arriving, func(a, b side) int { return cmp.Compare(a.at, b.at) })

	clock, earliest := int64(-1), int64(nothing)
	latest := map[bool]int64{true: -1, false: -1} // of what either side was given to remember
	keep := j.before + j.after + j.grace
	for _, e := range arriving {
		outer := j.kind == "outer" || j.kind == "left" && e.left
		clock = max(clock, e.time)
		if e.value == nil || e.key == nil {
			if e.value != nil && outer {
				out = append(out, j.alone(e, e.at))
			}
			continue
		}
		if e.time == clock && earliest+j.reach(e.left)+j.grace < clock {
			var waiting []int
			for i, s := range seen {
				if s.waits {
					waiting = append(waiting, i)
				}
			}
			slices.SortStableFunc(waiting, func(a, b int) int {
				return cmp.Or(cmp.Compare(seen[a].time, seen[b].time), order(seen[a].left, seen[b].left), strings.Compare(*seen[a].key, *seen[b].key))
			})
			earliest = nothing
			open := map[bool]bool{}
			for _, i := range waiting {
				s := &seen[i]
				earliest = s.time
				if open[true] && open[false] {
					break
				}
				if s.time+j.reach(s.left)+j.grace < clock {
					s.waits = false
					out = append(out, j.alone(*s, e.at))
				} else {
					open[s.left] = true
				}
			}
		}
		from, to := e.time-j.reach(!e.left), e.time+j.reach(e.left)
		var met []int
		for i, s := range seen {
			if s.left != e.left && !s.missing && *s.key == *e.key && from <= s.time && s.time <= to && s.time >= latest[s.left]-keep+1 {
				met = append(met, i)
			}
		}
		slices.SortStableFunc(met, func(a, b int) int { return cmp.Compare(seen[a].time, seen[b].time) })
		for _, i := range met {
			seen[i].waits = false
			l, r := e.value, seen[i].value
			if !e.left {
				l, r = r, l
			}
			out = append(out, event{e.at, e.key, paired(l, r), max(e.time, seen[i].time)})
		}
		if len(met) == 0 && outer {
			if to < clock {
				out = append(out, j.alone(e, e.at))
			} else {
				e.waits, earliest = true, min(earliest, e.time)
			}
		}
		latest[e.left] = max(latest[e.left], e.time)
		e.missing = e.time < latest[e.left]-keep+1
		seen = append(seen, e)
	}
	return out
}

// nothing waits: later than any record.
const nothing = 1 << 40

// reach is how far behind the time of a record of a side partners may lie.
func (j within) reach(left bool) int64 {
	if left {
		return j.after
	}
	return j.before
}

// alone is what is sent of a record that met none.
func (j within) alone(s side, at int) event {
	if s.left {
		return event{at, s.key, paired(s.value, nil), s.time}
	}
	return event{at, s.key, paired(nil, s.value), s.time}
}

// order puts the right side first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
