package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// A Diff is the first difference between what was recorded and what was seen.
type Diff struct {
	Phase     int    // 1, 2
	Where     string // topic/partition and line, offsets, tasks, dropped, internal topic
	Want, Got string
}

func (d *Diff) String() string {
	return fmt.Sprintf("phase %d %s: want %s, got %s", d.Phase, d.Where, d.Want, d.Got)
}

// An account is what a phase may have done: as recorded after a restart, or without one.
type account struct {
	*Case
	phase   int // 0, 1
	kept    bool
	before  map[string]Topic // what was in topics before, as recorded
	topics  map[string]Topic
	offsets map[string][]*Offset
	modes   map[string]Mode
}

// accounts returns what a phase may have done, the recorded one first.
func (c *Case) accounts(phase int) []account {
	p := c.Phases[phase]
	var before map[string]Topic
	if phase > 0 {
		before = c.Phases[phase-1].Result.Topics
	}
	all := []account{{c, phase, false, before, p.Result.Topics, p.Result.Offsets, c.Compare}}
	if len(p.Uninterrupted) == 0 {
		return all
	}
	a := account{c, phase, true, before, maps.Clone(p.Result.Topics), maps.Clone(p.Result.Offsets), maps.Clone(c.Compare)}
	for topic, t := range p.Uninterrupted {
		a.topics[topic] = t
		if !c.changelog(topic) && reordered(p.Result.Topics[topic], t) {
			a.modes[topic] = Multiset
		}
		if have := a.offsets[topic]; have != nil {
			a.offsets[topic] = behind(have, before[topic], t)
		}
	}
	return append(all, a)
}

// reordered reports whether the same records were recorded with and without the restart, in another order: an order that a
// restart cannot change was not determined when it was recorded, as where records of several tasks meet in a batch.
func reordered(one, two Topic) bool {
	for i := range one.Partitions {
		if !slices.Equal(Multiset.view(false, nil, records(one, i)), Multiset.view(false, nil, records(two, i))) {
			return false
		}
	}
	return len(one.Partitions) == len(two.Partitions)
}

// behind returns the offsets behind all records of a topic: with their number, and the largest of their times.
func behind(recorded []*Offset, parts ...Topic) []*Offset {
	var all []*Offset
	for i := range parts[len(parts)-1].Partitions {
		o := &Offset{Time: new(int64(-1))}
		if i < len(recorded) && recorded[i] != nil {
			o.Progress = recorded[i].Progress
		}
		for _, t := range parts {
			if i >= len(t.Partitions) {
				continue
			}
			for _, r := range t.Partitions[i].Records {
				o.Index++
				*o.Time = max(*o.Time, r.Time)
			}
		}
		if o.Index == 0 {
			o = nil
		}
		all = append(all, o)
	}
	return all
}

// compare compares what was seen of a phase with what was recorded. before is what was in the topics before. Phase 2 must
// equal one of its accounts.
func (c *Case) compare(phase int, before map[string]Topic, got Result) (d *Diff, kept bool) {
	var first *Diff
	for i, a := range c.accounts(phase) {
		d := a.compare(before, got)
		if d == nil {
			return nil, a.kept
		}
		if i == 0 {
			first = d
		} else {
			first.Got += fmt.Sprintf("; nor as without the restart: %s: want %s, got %s", d.Where, d.Want, d.Got)
		}
	}
	return first, false
}

func (a account) compare(before map[string]Topic, got Result) *Diff {
	for _, topic := range slices.Sorted(maps.Keys(a.Compare)) {
		if d := a.compareTopic(topic, before[topic], got.Topics[topic]); d != nil {
			return d
		}
	}
	for topic := range got.Topics {
		if _, known := a.topics[topic]; !known {
			return a.differs(topic, "no such topic", "one")
		}
	}
	if d := a.compareOffsets(got.Offsets); d != nil {
		return d
	}
	want := a.Phases[a.phase].Result
	if w, g := fmt.Sprint(want.Tasks), fmt.Sprint(got.Tasks); w != g {
		return a.differs("tasks", w, g)
	}
	switch {
	case a.kept && got.Dropped < want.Dropped:
		return a.differs("dropped", fmt.Sprintf("at least %d", want.Dropped), fmt.Sprint(got.Dropped))
	case !a.kept && got.Dropped != want.Dropped:
		return a.differs("dropped", fmt.Sprint(want.Dropped), fmt.Sprint(got.Dropped))
	}
	return nil
}

func (a account) differs(where, want, got string) *Diff { return &Diff{a.phase + 1, where, want, got} }

func (a account) compareTopic(topic string, before, got Topic) *Diff {
	want, mode := a.topics[topic], a.modes[topic]
	if w, g := len(want.Partitions), len(got.Partitions); w != g {
		return a.differs(topic, fmt.Sprintf("%d partitions", w), fmt.Sprint(g))
	}
	for i := range want.Partitions {
		w := mode.view(a.changelog(topic), records(a.before[topic], i), want.Partitions[i].Records)
		g := mode.view(a.changelog(topic), records(before, i), got.Partitions[i].Records)
		if d := a.compareLines(fmt.Sprintf("%s/%d %s", topic, i, mode), w, g); d != nil {
			return d
		}
	}
	if mode == Loose {
		return a.compareLines(topic+" null keys", unplaced(want), unplaced(got))
	}
	return nil
}

func records(t Topic, partition int) []Record {
	if partition >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[partition].Records
}

func (a account) compareLines(where string, want, got []string) *Diff {
	for i := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			return a.differs(fmt.Sprintf("%s[%d]", where, i), w, g)
		}
	}
	return nil
}

func (a account) compareOffsets(got map[string][]*Offset) *Diff {
	closing := a.closing()
	for _, topic := range slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string][]*Offset{a.offsets, got} {
			for topic := range m {
				if !yield(topic) {
					return
				}
			}
		}
	})) {
		if mode, ok := a.Compare[topic]; ok && !mode.exact() {
			continue // records may lie in any partition
		}
		w, g := a.offsets[topic], got[topic]
		for i := range max(len(w), len(g)) {
			var one, two *Offset
			if i < len(w) {
				one = w[i]
			}
			if i < len(g) {
				two = g[i]
			}
			if x, y := one.text(closing), two.text(closing); x != y {
				return a.differs(fmt.Sprintf("offset of %s/%d", topic, i), x, y)
			}
		}
	}
	return nil
}

// text spells what is compared of an offset: of its progress that of the given stores.
func (o *Offset) text(closing map[string]bool) string {
	if o == nil {
		return "none"
	}
	at := "unknown"
	if o.Time != nil {
		at = fmt.Sprint(*o.Time)
	}
	progress := maps.Clone(o.Progress)
	maps.DeleteFunc(progress, func(store string, _ int64) bool { return !closing[store] })
	return fmt.Sprintf("index %d time %s progress %v", o.Index, at, sortedPairs(progress))
}

func sortedPairs(m map[string]int64) []string {
	pairs := []string{}
	for k, v := range m {
		pairs = append(pairs, fmt.Sprintf("%s:%d", k, v))
	}
	slices.SortFunc(pairs, cmp.Compare)
	return pairs
}

// compareInternal compares the topics that the app has made with those of the case.
func (c *Case) compareInternal(got map[string]Internal) *Diff {
	for _, topic := range slices.Sorted(maps.Keys(c.Internal)) {
		if w, g := fmt.Sprint(c.Internal[topic]), fmt.Sprint(got[topic]); w != g {
			return &Diff{1, "internal topic " + topic, w, g}
		}
	}
	for topic := range got {
		if _, ok := c.Internal[topic]; !ok {
			return &Diff{1, "internal topic " + topic, "none", fmt.Sprint(got[topic])}
		}
	}
	return nil
}
