package metamorphic

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/internal/conformance"
)

func at(ms int64) time.Time { return time.UnixMilli(ms) }

// read spells a key of a topic: in windows as key@start/end.
func (k keys) read(b []byte) string {
	switch k.kind {
	case "time":
		inner, start := b[:len(b)-8], int64(binary.BigEndian.Uint64(b[len(b)-8:]))
		return windowed(string(inner), start, start+k.size)
	case "session":
		inner, end, start := b[:len(b)-16], binary.BigEndian.Uint64(b[len(b)-16:]), binary.BigEndian.Uint64(b[len(b)-8:])
		return windowed(string(inner), int64(start), int64(end))
	}
	return string(b)
}

// read spells a value.
func (s Sink) read(b []byte) string {
	if s.number {
		return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10)
	}
	return string(b)
}

// event makes what the oracle understands of a record. Nil is null.
func (s Sink) event(key, value []byte, time time.Time) event {
	e := event{at: never, time: time.UnixMilli()}
	if key != nil {
		e.key = text(s.keys.read(key))
	}
	if value != nil {
		e.value = text(s.read(value))
	}
	return e
}

// String spells an event as a record.
func (e event) String() string { return fmt.Sprintf("%s=%s@%d", shown(e.key), shown(e.value), e.time) }

// reduced returns what of the records of a sink is the same at a level, as lines by key. alone: one task wrote all of them, in
// an order that is the same.
func (s Sink) reduced(es []event, at level, timed, alone bool) map[string][]string {
	by := map[string][]string{}
	for _, e := range es {
		if !timed {
			e.time = 0
		}
		key := shown(e.key)
		switch {
		case at == last && (e.value == nil || s.empty && *e.value == "0"):
			delete(by, key)
		case at == last:
			by[key] = []string{e.String()}
		case at == every && alone:
			by[""] = append(by[""], e.String())
		default:
			by[key] = append(by[key], e.String())
		}
	}
	for key := range by {
		if at == bag || at == every && !alone && (s.moved || key == shown(nil)) {
			slices.Sort(by[key])
		}
	}
	return by
}

// compare compares two runs of a case, the second in a variant of its own, or deployed: then its stores are not known.
func compare(c *Case, plain, varied *Result) error {
	for _, s := range c.Sinks {
		alone := c.Partitions == 1
		if d := differ(s.reduced(plain.Sinks[s.Topic], s.level, s.timed, alone), s.reduced(varied.Sinks[s.Topic], s.level, s.timed, alone)); d != "" {
			return fmt.Errorf("%s (%s): %s", s.Topic, s.level, d)
		}
	}
	if c.settled && varied.Stores != nil && !reflect.DeepEqual(plain.Stores, varied.Stores) {
		return fmt.Errorf("stores: %s", storesDiffer(plain.Stores, varied.Stores))
	}
	return nil
}

// agree compares a run of a case with what the oracle claims.
func agree(c *Case, seen *Result) error {
	w := enter(c.Partitions, c.Steps)
	for _, s := range c.Sinks {
		if s.expected == nil {
			continue
		}
		want := merged(s.expected(w)...)
		if d := differ(s.reduced(want, s.claimed, s.dated, false), s.reduced(seen.Sinks[s.Topic], s.claimed, s.dated, false)); d != "" {
			return fmt.Errorf("%s (%s), oracle: %s", s.Topic, s.claimed, d)
		}
	}
	return nil
}

func (l level) String() string {
	return [...]string{"the last of each key", "in any order", "in order"}[l]
}

// differ returns the first key of which two maps differ, and how; "" if they do not.
func differ(want, got map[string][]string) string {
	all := slices.Sorted(maps.Keys(want))
	for k := range got {
		if _, ok := want[k]; !ok {
			all = append(all, k)
		}
	}
	for _, k := range all {
		if !slices.Equal(want[k], got[k]) {
			i := 0
			for i < min(len(want[k]), len(got[k])) && want[k][i] == got[k][i] {
				i++
			}
			return fmt.Sprintf("key %q from record %d:\n  want %s\n  got  %s", k, i, strings.Join(want[k][i:], " "), strings.Join(got[k][i:], " "))
		}
	}
	return ""
}

// storesDiffer says of which store two results differ first, and in which row.
func storesDiffer(want, got map[string]conformance.Store) string {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w, g := want[name].Rows, got[name].Rows
		if reflect.DeepEqual(w, g) {
			continue
		}
		i := 0
		for i < min(len(w), len(g)) && reflect.DeepEqual(w[i], g[i]) {
			i++
		}
		row := func(rows []conformance.Row) string {
			if i < len(rows) {
				return rows[i].String()
			}
			return "nothing"
		}
		return fmt.Sprintf("%s row %d of %d: want %s, got %s", name, i, cmp.Or(len(w), len(g)), row(w), row(g))
	}
	return "other stores"
}
