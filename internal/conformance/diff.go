package conformance

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Diff is the first difference between what was recorded and what was seen.
type Diff struct {
	Where     string // topic and index, store and row, error, dropped
	Want, Got string
}

func (d *Diff) String() string { return fmt.Sprintf("%s: want %s, got %s", d.Where, d.Want, d.Got) }

// Check runs a case and compares it with what was recorded; nil means that nothing differs.
func Check(c *Case, o Options) *Diff {
	seen, _, err := Run(c, o)
	if err != nil {
		return &Diff{"the case", "a run", err.Error()}
	}
	return c.Compare(seen)
}

// Compare compares what was seen with what was recorded.
func (c *Case) Compare(seen Expected) *Diff {
	if d := c.compareErrors(seen); d != nil {
		return d
	}
	for _, name := range keys(c.Expected.Topics, seen.Topics) {
		want, got := c.canonical(name, c.Expected.Topics[name]), c.canonical(name, seen.Topics[name])
		for i := range max(len(want), len(got)) {
			var w, g *Record
			if i < len(want) {
				w = &want[i]
			}
			if i < len(got) {
				g = &got[i]
			}
			if !sameRecord(w, g) {
				return &Diff{fmt.Sprintf("%s[%d]", name, i), w.String(), g.String()}
			}
		}
	}
	if seen.Error != nil {
		return nil
	}
	for _, name := range keys(c.Expected.Stores, seen.Stores) {
		want, ok := c.Expected.Stores[name]
		got, have := seen.Stores[name]
		if ok != have || want.Kind != got.Kind {
			return &Diff{"store " + name, or(want.Kind, "nothing"), or(got.Kind, "nothing")}
		}
		for i := range max(len(want.Rows), len(got.Rows)) {
			var w, g *Row
			if i < len(want.Rows) {
				w = &want.Rows[i]
			}
			if i < len(got.Rows) {
				g = &got.Rows[i]
			}
			if !reflect.DeepEqual(w, g) {
				return &Diff{fmt.Sprintf("store %s row %d", name, i), w.String(), g.String()}
			}
		}
	}
	if c.Expected.Dropped != seen.Dropped {
		return &Diff{"dropped", fmt.Sprint(c.Expected.Dropped), fmt.Sprint(seen.Dropped)}
	}
	return nil
}

func (c *Case) compareErrors(seen Expected) *Diff {
	want, got := c.Expected.Error, seen.Error
	same := (want == nil) == (got == nil)
	if same && want != nil {
		same = want.Phase == got.Phase && reflect.DeepEqual(want.Step, got.Step)
	}
	if same {
		return nil
	}
	return &Diff{"error", want.String(), got.String()}
}

func keys[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// canonical returns the records of a topic as they are compared: of a changelog the last record of each row in each step,
// sorted.
func (c *Case) canonical(topic string, records []Record) []Record {
	store, ok := strings.CutPrefix(topic, c.App+"-")
	if !ok {
		return records
	}
	if store, ok = strings.CutSuffix(store, "-changelog"); !ok {
		return records
	}
	versioned := c.versioned(store)
	type row struct {
		step int
		key  string
		null bool
		time int64
	}
	last := map[row]Record{}
	for _, r := range records {
		id := row{step: r.Step, null: r.Key == nil}
		if r.Key != nil {
			id.key = string(*r.Key)
		}
		if versioned && r.Time != nil {
			id.time = *r.Time
		}
		last[id] = r
	}
	ids := slices.SortedFunc(maps.Keys(last), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.step, b.step), strings.Compare(a.key, b.key), cmp.Compare(a.time, b.time))
	})
	out := make([]Record, len(ids))
	for i, id := range ids {
		out[i] = last[id]
	}
	return out
}

// versioned reports whether a store keeps the history of its keys.
func (c *Case) versioned(store string) bool {
	return slices.ContainsFunc(c.Topology, func(n *Node) bool {
		return n.has("store") && n.text("store") == store && n.has("versionedMs") || n.Op == "store" && n.ID == store && n.maybe("kind") == "versioned"
	})
}

func sameRecord(w, g *Record) bool {
	if w == nil || g == nil {
		return false
	}
	return sameBytes(w.Key, g.Key) && sameBytes(w.Value, g.Value) && w.Step == g.Step &&
		(w.Time == nil || g.Time != nil && *w.Time == *g.Time) &&
		slices.EqualFunc(w.Headers, g.Headers, func(a, b Header) bool { return a.Key == b.Key && sameBytes(a.Value, b.Value) })
}

func sameBytes(a, b *[]byte) bool {
	return (a == nil) == (b == nil) && (a == nil || bytes.Equal(*a, *b))
}
