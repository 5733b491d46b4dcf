package metamorphic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// What the oracle claims of folds: records without a key or a value count for nothing. Every other gives an update of its key:
// the fold of all values of the key so far, with the latest of their times.
func foldOf(verb, fn string, in data) data {
	return in.each(func(es []event) (out []event) {
		for i, e := range es {
			if e.key == nil || e.value == nil {
				continue
			}
			var values []*string
			var latest int64
			for _, f := range es[:i+1] {
				if f.key != nil && f.value != nil && *f.key == *e.key {
					values, latest = append(values, f.value), max(latest, f.time)
				}
			}
			out = append(out, event{e.at, e.key, folded(verb, fn, values), latest})
		}
		return out
	})
}

// A cut of event time, in milliseconds.
type cut struct {
	kind           string // time, sliding, session
	size, advance  int64  // of sliding windows size is the time difference, of sessions the gap
	grace          int64
	close          bool // results when windows close, once each
	hidesForgotten bool // sessions: those older than gap and grace are forgotten
}

// windowsOf is what the oracle claims of tumbling and hopping windows: a record with a key moves the time of its partition, and
// falls into every window around its time whose end lies after that time less the grace. Each of them is updated, oldest
// first: the fold of what it has, with the latest of the times. A null is counted, and not claimed anything of in other folds.
// On close, a window is sent once, by the first record that moves time to its end and grace, in the order of windows for each
// key.
func windowsOf(c cut, verb, fn string, in data) data {
	return in.each(func(es []event) (out []event) {
		var keyed []event
		var clock []int64 // after each of them
		for _, e := range es {
			if e.key == nil {
				continue
			}
			now := e.time
			if len(clock) > 0 {
				now = max(now, clock[len(clock)-1])
			}
			keyed, clock = append(keyed, e), append(clock, now)
		}
		within := func(i int, start int64) bool {
			e := keyed[i]
			return start <= e.time && e.time < start+c.size && start+c.size > clock[i]-c.grace
		}
		// row is what the window has after the records before n; there is none if ok is false.
		row := func(key string, start int64, n int) (e event, ok bool) {
			var values []*string
			for i := range n {
				if *keyed[i].key == key && within(i, start) {
					values, e.time = append(values, keyed[i].value), max(e.time, keyed[i].time)
				}
			}
			if len(values) == 0 {
				return e, false
			}
			e.key, e.value = text(windowed(key, start, start+c.size)), folded(verb, fn, values)
			return e, true
		}
		for i, e := range keyed {
			if !c.close {
				for _, start := range c.starts(e.time) {
					if within(i, start) {
						r, _ := row(*e.key, start, i+1)
						r.at = e.at
						out = append(out, r)
					}
				}
				continue
			}
			before := int64(-1)
			if i > 0 {
				before = clock[i-1]
			}
			var closed []event
			for _, id := range c.windows(keyed[:i+1]) {
				if end := id.start + c.size + c.grace; end <= clock[i] && (before < 0 || end > before) {
					if r, ok := row(id.key, id.start, i+1); ok {
						r.at = e.at
						closed = append(closed, r)
					}
				}
			}
			out = append(out, closed...)
		}
		return out
	})
}

// starts returns those of the windows around a time, oldest first.
func (c cut) starts(at int64) (starts []int64) {
	for s := int64(0); s <= at; s += c.advance {
		if at < s+c.size {
			starts = append(starts, s)
		}
	}
	return starts
}

// A windowID is a window of a key.
type windowID struct {
	key   string
	start int64
}

// windows returns all windows that events lie in, by start and key.
func (c cut) windows(es []event) (ids []windowID) {
	for _, e := range es {
		for _, s := range c.starts(e.time) {
			ids = append(ids, windowID{*e.key, s})
		}
	}
	slices.SortFunc(ids, func(a, b windowID) int { return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.key, b.key)) })
	return slices.Compact(ids)
}

// windowed spells the key of a window.
func windowed(key string, start, end int64) string { return fmt.Sprintf("%s@%d/%d", key, start, end) }

// slidingOf is what the oracle claims of sliding windows of which no record is late: in the end there is a window that ends with
// each record, and one that begins behind each record if that holds any; each has the fold of all records in it, with the
// latest of their times. Windows do not begin before 0.
func slidingOf(c cut, verb, fn string, in data) data {
	return in.each(func(es []event) (out []event) {
		var ids []windowID
		for _, e := range es {
			if e.key != nil && e.value != nil {
				ids = append(ids, windowID{*e.key, max(0, e.time-c.size)}, windowID{*e.key, e.time + 1})
			}
		}
		slices.SortFunc(ids, func(a, b windowID) int { return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.key, b.key)) })
		for _, id := range slices.Compact(ids) {
			var values []*string
			var latest int64
			for _, e := range es {
				if e.key != nil && e.value != nil && *e.key == id.key && id.start <= e.time && e.time <= id.start+c.size {
					values, latest = append(values, e.value), max(latest, e.time)
				}
			}
			if len(values) > 0 {
				out = append(out, event{never, text(windowed(id.key, id.start, id.start+c.size)), folded(verb, fn, values), latest})
			}
		}
		return out
	})
}

// never is when an update came that the oracle knows the result of, but not the moment.
const never = 1 << 30
