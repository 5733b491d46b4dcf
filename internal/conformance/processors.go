package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/topology"
)

// processor returns the processor that an operation names.
func (p *program[S, N]) processor(n *Node) processor {
	stores := p.stores(n)
	d := processor{stores: stores.specs()}
	switch name := n.text("processor"); name {
	case "pass":
		d.start = func(_ *topology.Task, out sender) func(textRecord) error {
			return func(r textRecord) error { out.send(r); return nil }
		}
	case "counter":
		spec := stores.first(n).keyValue(n)
		d.start = func(t *topology.Task, out sender) func(textRecord) error {
			count := counting(p.rows(t, spec))
			return func(r textRecord) error {
				if r.Key != nil {
					out.value(r, count(r.Key))
				}
				return nil
			}
		}
	case "dedup":
		spec := stores.first(n).keyValue(n)
		d.start = func(t *topology.Task, out sender) func(textRecord) error { return dedup(p.rows(t, spec), out) }
	case "rekey":
		shift := n.span("shiftMs")
		d.start = func(_ *topology.Task, out sender) func(textRecord) error {
			return func(r textRecord) error {
				was := []byte(shown(r.Key))
				r = r.WithKey(r.Value)
				r.Time, r.Headers = notBefore1970(r.Time.Add(shift)), r.Headers.With("was", was)
				out.send(r)
				return nil
			}
		}
	case "meta":
		d.start = func(t *topology.Task, out sender) func(textRecord) error {
			return func(r textRecord) error {
				place := "none"
				if at, ok := t.Source(); ok {
					place = fmt.Sprintf("%s/%d/%d", at.Topic, at.Partition, at.Offset)
				}
				out.value(r, place+"/"+clocks(t))
				return nil
			}
		}
	case "router":
		even, odd := n.text("even"), n.text("odd")
		d.routes = []string{even, odd}
		d.start = func(_ *topology.Task, out sender) func(textRecord) error {
			even, odd := out.to(even), out.to(odd)
			return func(r textRecord) error {
				switch {
				case r.Value == nil:
					out.send(r)
				case length(*r.Value)%2 == 0:
					even.send(r)
				default:
					odd.send(r)
				}
				return nil
			}
		}
	case "buffer":
		clock, every, spec := n.one("clock", "stream", "wall"), n.span("intervalMs"), stores.first(n).keyValue(n)
		d.start = func(t *topology.Task, out sender) func(textRecord) error {
			rows := p.rows(t, spec)
			schedule(t, clock, nil, every, func(now time.Time) error { rows.flush(now, out); return nil })
			return func(r textRecord) error { rows.put(r.Key, r.Value); return nil }
		}
	case "tick":
		d.start = ticker(n)
	case "timestamped":
		spec := stores.first(n).keyValue(n)
		d.start = func(t *topology.Task, out sender) func(textRecord) error { return latest(p.rows(t, spec), out) }
	case "scan":
		spec := stores.first(n).keyValue(n)
		d.start = func(t *topology.Task, out sender) func(textRecord) error { return scan(p.rows(t, spec), out) }
	case "lookup":
		find := stores.first(n).find
		if find == nil {
			unknown("%s: the store has no keys of text", n)
		}
		d.start = func(t *topology.Task, out sender) func(textRecord) error {
			find := find(t)
			return func(r textRecord) error {
				out.value(r, shown(r.Value)+"|"+shown(find(r.Key)))
				return nil
			}
		}
	default:
		if d.start = p.windowProcessor(n, name, stores); d.start == nil {
			unknown("processor %q", name)
		}
	}
	return d
}

// counting returns what counts a key up in a store.
func counting[S any](rows textStore[S]) func(key *string) string {
	return func(key *string) string {
		n := int64(1)
		if old := rows.get(key); old != nil {
			n = number(*old) + 1
		}
		s := strconv.FormatInt(n, 10)
		rows.put(key, &s)
		return s
	}
}

func dedup[S any](rows textStore[S], out sender) func(textRecord) error {
	text := rows.text
	return func(r textRecord) error {
		if r.Value == nil {
			var old *string
			if v, ok := rows.Delete(text.of(r.Key)); ok {
				old = text.text(v)
			}
			out.value(r, "deleted:"+shown(old))
			return nil
		}
		key, value := text.of(r.Key), text.of(r.Value)
		if old, found := rows.PutIfAbsent(key, value); !found || *text.text(old) != *r.Value {
			rows.Put(key, value)
			out.send(r)
		}
		return nil
	}
}

// flush forwards all rows, in the order of their keys as they were at first, and deletes them.
func (s textStore[S]) flush(now time.Time, out sender) {
	type row struct{ k, v S }
	var all []row
	for k, v := range s.All() {
		all = append(all, row{k, v})
	}
	for _, r := range all {
		out.send(textRecord{Key: s.text.text(r.k), Value: s.text.text(r.v), Time: now})
		s.Delete(r.k)
	}
}

// latest keeps the newest value of each key.
func latest[S any](rows textStore[S], out sender) func(textRecord) error {
	text := rows.text
	return func(r textRecord) error {
		old, found := rows.GetRow(text.of(r.Key))
		if found && old.Time.After(r.Time) {
			out.value(r, "old:"+*stamped(*text.text(old.Value), old.Time))
			return nil
		}
		if r.Value == nil {
			rows.Delete(text.of(r.Key))
		} else {
			rows.PutAt(text.of(r.Key), text.of(r.Value), r.Time)
		}
		out.value(r, "new:"+shown(r.Value))
		return nil
	}
}

// scan answers questions about a store, and puts what is none.
func scan[S any](rows textStore[S], out sender) func(textRecord) error {
	text := rows.text
	return func(r textRecord) error {
		q := strings.Split(shown(r.Value), " ")
		arg := func(i int) S { return text.of(&q[i]) }
		switch q[0] {
		case "?all":
			out.value(r, rows.list(rows.All()))
		case "?range":
			out.value(r, rows.list(rows.Range(arg(1), arg(2))))
		case "?reverse":
			out.value(r, rows.list(rows.Reverse(arg(1), arg(2))))
		case "?from":
			out.value(r, rows.list(rows.From(arg(1))))
		case "?to":
			out.value(r, rows.list(rows.UpTo(arg(1))))
		case "?prefix":
			out.value(r, rows.list(rows.Prefix([]byte(q[1]))))
		default:
			rows.put(r.Key, r.Value)
		}
		return nil
	}
}

// ticker forwards what its clock shows, at intervals, and every record.
func ticker(n *Node) func(t *topology.Task, out sender) func(textRecord) error {
	clock, every, times := n.one("clock", "stream", "wall"), n.span("intervalMs"), n.number("times", 1_000_000)
	var anchor *time.Time
	if n.has("anchorMs") {
		anchor = new(time.UnixMilli(n.number("anchorMs", 0)))
	}
	return func(t *topology.Task, out sender) func(textRecord) error {
		left := times
		var timer *topology.Timer
		timer = schedule(t, clock, anchor, every, func(now time.Time) error {
			out.send(textRecord{Key: new("tick"), Value: new(fmt.Sprintf("%d/%s", now.UnixMilli(), clocks(t))), Time: now})
			if left--; left == 0 {
				timer.Stop()
			}
			return nil
		})
		return func(r textRecord) error { out.send(r); return nil }
	}
}

func schedule(t *topology.Task, clock string, anchor *time.Time, every time.Duration, f func(now time.Time) error) *topology.Timer {
	switch {
	case clock == "wall" && anchor != nil:
		return t.EveryWallFrom(*anchor, every, f)
	case clock == "wall":
		return t.EveryWall(every, f)
	case anchor != nil:
		return t.EveryStreamFrom(*anchor, every, f)
	}
	return t.EveryStream(every, f)
}

// clocks spells stream time, -1 while there is none, and the wall clock.
func clocks(t *topology.Task) string {
	stream := int64(-1)
	if at := t.StreamTime(); !at.IsZero() {
		stream = at.UnixMilli()
	}
	return fmt.Sprintf("%d/%d", stream, t.Now().UnixMilli())
}

func stamped(s string, at time.Time) *string { return new(fmt.Sprintf("%s@%d", s, at.UnixMilli())) }

func notBefore1970(at time.Time) time.Time {
	if at.UnixMilli() < 0 {
		return time.UnixMilli(0)
	}
	return at
}
