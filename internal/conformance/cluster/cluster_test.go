package cluster

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace-streams/millrace/internal/conformance"
)

func corpus(t *testing.T) []*Case {
	t.Helper()
	cases, err := ReadDir(os.DirFS("testdata/cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// prior returns what was in topics before a phase, as recorded.
func (c *Case) prior(phase int) map[string]Topic {
	if phase == 0 {
		return nil
	}
	return c.Phases[phase-1].Result.Topics
}

func TestEveryRecordingIsReadAndEqualsItself(t *testing.T) {
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			if c.broken != nil {
				t.Fatal(c.broken)
			}
			if _, err := c.program().Build(conformance.Options{}); err != nil {
				t.Error(err)
			}
			if d := c.compareInternal(c.Internal); d != nil {
				t.Error(d)
			}
			for phase, p := range c.Phases {
				if d, kept := c.compare(phase, c.prior(phase), p.Result); d != nil || kept {
					t.Error(d, kept)
				}
			}
		})
	}
}

// copied returns a deep copy of a result.
func copied(t *testing.T, r Result) (out Result) {
	t.Helper()
	out = Result{Topics: map[string]Topic{}, Offsets: map[string][]*Offset{}, Tasks: r.Tasks, Dropped: r.Dropped}
	for name, topic := range r.Topics {
		parts := slices.Clone(topic.Partitions)
		for i := range parts {
			parts[i].Records = slices.Clone(parts[i].Records)
		}
		out.Topics[name] = Topic{parts}
	}
	for name, offsets := range r.Offsets {
		for _, o := range offsets {
			if o != nil {
				o = new(*o)
			}
			out.Offsets[name] = append(out.Offsets[name], o)
		}
	}
	return out
}

// What is compared is compared: a recording does not equal itself with anything changed.
func TestEveryDifferenceIsFound(t *testing.T) {
	found := map[Mode]int{}
	for _, c := range corpus(t) {
		for phase, p := range c.Phases {
			differs := func(what string, change func(r *Result)) {
				t.Helper()
				got := copied(t, p.Result)
				change(&got)
				for _, a := range c.accounts(phase) {
					if !a.kept && a.compare(c.prior(phase), got) == nil {
						t.Errorf("%s phase %d: %s is not found", c.Name, phase+1, what)
					}
				}
			}
			for topic, mode := range c.Compare {
				if mode == None {
					continue
				}
				for i, part := range p.Result.Topics[topic].Partitions {
					n := len(part.Records)
					if n == 0 || part.Records[n-1].Value == nil {
						continue
					}
					found[mode]++
					differs("another last key in "+topic, func(r *Result) {
						r.Topics[topic].Partitions[i].Records[n-1].Key = new([]byte("another"))
					})
					if mode != Live {
						differs("another last value in "+topic, func(r *Result) {
							r.Topics[topic].Partitions[i].Records[n-1].Value = new([]byte("another"))
						})
					}
					if mode != Live && mode != Untimed {
						differs("another last time in "+topic, func(r *Result) { r.Topics[topic].Partitions[i].Records[n-1].Time++ })
					}
				}
			}
			for topic, offsets := range p.Result.Offsets {
				if mode, ok := c.Compare[topic]; ok && !mode.exact() {
					continue
				}
				for i, o := range offsets {
					if o == nil {
						continue
					}
					differs("another index of "+topic, func(r *Result) { r.Offsets[topic][i].Index++ })
					differs("another time of "+topic, func(r *Result) { r.Offsets[topic][i].Time = new(*o.Time + 1) })
					differs("no offset of "+topic, func(r *Result) { r.Offsets[topic][i] = nil })
					if len(o.Progress) > 0 {
						differs("no progress of "+topic, func(r *Result) { r.Offsets[topic][i].Progress = nil })
					}
				}
			}
			differs("a dropped record", func(r *Result) { r.Dropped++ })
			differs("no tasks", func(r *Result) { r.Tasks = nil })
			differs("another topic", func(r *Result) { r.Topics["another"] = Topic{} })
		}
	}
	for _, mode := range []Mode{Sequence, Keys, Multiset, Loose, Final, State, Untimed, Live} {
		if found[mode] == 0 {
			t.Errorf("no recording is compared by %s", mode)
		}
	}
}

func TestModesLeaveFreeWhatTheyDo(t *testing.T) {
	rec := func(key, value string, at int64) Record {
		r := Record{Key: new([]byte(key)), Value: new([]byte(value)), Time: at}
		if key == "" {
			r.Key = nil
		}
		if value == "" {
			r.Value = nil
		}
		return r
	}
	a1, a2, b1 := rec("a", "1", 1), rec("a", "2", 2), rec("b", "1", 1)
	for _, c := range []struct {
		mode      Mode
		changelog bool
		one, two  []Record
		same      bool
	}{
		{Sequence, false, []Record{a1, b1}, []Record{b1, a1}, false},
		{Keys, false, []Record{a1, b1, a2}, []Record{b1, a1, a2}, true},
		{Keys, false, []Record{a1, a2}, []Record{a2, a1}, false},
		{Multiset, false, []Record{a1, a2}, []Record{a2, a1}, true},
		{Multiset, false, []Record{a1, a1}, []Record{a1}, false},
		{Loose, false, []Record{a1, rec("", "x", 1)}, []Record{a1}, true}, // it may lie elsewhere
		{Final, false, []Record{a1, a2}, []Record{a2}, true},
		{Final, false, []Record{a1}, []Record{a1, rec("b", "", 1)}, false},
		{Final, true, []Record{a1}, []Record{a1, rec("b", "", 1)}, true}, // a changelog's last record of a key that is gone
		{State, false, []Record{a1}, []Record{a1, rec("b", "", 1)}, true},
		{Untimed, true, []Record{a1}, []Record{rec("a", "1", 9)}, true},
		{Untimed, true, []Record{a1}, []Record{a2}, false},
		{Live, true, []Record{a1}, []Record{a2}, true},
		{Live, true, []Record{a1}, []Record{a1, b1}, false},
		{Keys, true, []Record{a1, a2}, []Record{a2}, false}, // each is a version
		{None, false, []Record{a1}, nil, true},
	} {
		if got := slices.Equal(c.mode.view(c.changelog, nil, c.one), c.mode.view(c.changelog, nil, c.two)); got != c.same {
			t.Errorf("%s, changelog %v: %v and %v are the same: %v", c.mode, c.changelog, c.one, c.two, got)
		}
	}
	if got := Final.view(true, []Record{a1, b1}, []Record{a2}); len(got) != 2 {
		t.Errorf("the state after two phases is %v", got)
	}
	if got := unplaced(Topic{[]Partition{{Records: []Record{a1, rec("", "x", 1)}}, {Records: []Record{rec("", "y", 1)}}}}); len(got) != 2 {
		t.Errorf("records without a place are %v", got)
	}
}

// Phase 2 equals what was recorded after a restart or without one, as a whole.
func TestAccountsAreNotMixed(t *testing.T) {
	one := func(value string) Topic {
		return Topic{[]Partition{{Records: []Record{{Key: new([]byte("k")), Value: new([]byte(value))}}}}}
	}
	result := func(a, b string) Result {
		return Result{Topics: map[string]Topic{"a": one(a), "b": one(b)}, Dropped: 1}
	}
	c := &Case{
		Compare: map[string]Mode{"a": Sequence, "b": Sequence},
		Phases:  []Phase{{}, {Result: result("1", "1"), Uninterrupted: map[string]Topic{"a": one("2"), "b": one("2")}}},
	}
	for _, x := range []struct {
		seen       Result
		same, kept bool
	}{
		{result("1", "1"), true, false}, {result("2", "2"), true, true}, {result("1", "2"), false, false}, {result("2", "1"), false, false},
	} {
		if d, kept := c.compare(1, nil, x.seen); (d == nil) != x.same || kept != x.kept {
			t.Errorf("%v: %v, kept %v", x.seen.Topics, d, kept)
		}
	}
	less := result("2", "2")
	if less.Dropped = 0; func() bool { d, _ := c.compare(1, nil, less); return d == nil }() {
		t.Error("fewer records were dropped than when less was remembered")
	}
}

// An order that the restart cannot have changed was not determined.
func TestAnOrderThatWasRecordedBothWaysIsFree(t *testing.T) {
	topic := func(values string) Topic {
		var p Partition
		for _, v := range values {
			p.Records = append(p.Records, Record{Key: new([]byte("k")), Value: new([]byte(string(v)))})
		}
		return Topic{[]Partition{p}}
	}
	c := &Case{
		Compare: map[string]Mode{"a": Sequence, "b": Sequence},
		Phases: []Phase{{}, {Result: Result{Topics: map[string]Topic{"a": topic("xyz"), "b": topic("1")}},
			Uninterrupted: map[string]Topic{"a": topic("yxz"), "b": topic("2")}}},
	}
	for seen, same := range map[string]bool{"xyz 1": true, "yxz 1": false, "yxz 2": true, "zyx 2": true, "xy 2": false} {
		a, b, _ := strings.Cut(seen, " ")
		if d, _ := c.compare(1, nil, Result{Topics: map[string]Topic{"a": topic(a), "b": topic(b)}}); (d == nil) != same {
			t.Errorf("%s: %v", seen, d)
		}
	}
}

func TestWhatNobodyKnowsFailsTheCase(t *testing.T) {
	text, err := os.ReadFile("testdata/cases/versioned.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for what, change := range map[string]func(m map[string]any){
		"nothing changed": func(map[string]any) {},
		"field":           func(m map[string]any) { m["speed"] = 1 },
		"config":          func(m map[string]any) { m["config"].(map[string]any)["speed"] = 1 },
		"guarantee":       func(m map[string]any) { m["config"].(map[string]any)["guarantee"] = "at_least_once" },
		"mode": func(m map[string]any) {
			for topic := range m["compare"].(map[string]any) {
				m["compare"].(map[string]any)[topic] = "roughly"
			}
		},
		"no mode":   func(m map[string]any) { m["compare"] = map[string]any{} },
		"phases":    func(m map[string]any) { m["phases"] = m["phases"].([]any)[:1] },
		"partition": func(m map[string]any) { m["partitions"] = map[string]any{} },
		"operation": func(m map[string]any) { m["topology"].([]any)[0].(map[string]any)["op"] = "river" },
		"word":      func(m map[string]any) { m["topology"].([]any)[0].(map[string]any)["colour"] = "blue" },
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := Read(strings.NewReader(string(b)))
		if err != nil || len(cases) != 1 {
			t.Fatalf("%s: %v, %v", what, cases, err)
		}
		bad := cases[0].broken
		if bad == nil {
			_, bad = cases[0].program().Build(conformance.Options{})
		}
		if (bad == nil) != (what == "nothing changed") {
			t.Errorf("%s: %v", what, bad)
		}
	}
	if cases, err := Read(strings.NewReader("{\"name\": 7}\n{")); err != nil || len(cases) != 2 || cases[0].broken == nil || cases[1].Name != "line 2" {
		t.Errorf("%v, %v", cases, err)
	}
}

func TestMetadataIsReadAsItIsRecorded(t *testing.T) {
	for _, c := range corpus(t) {
		for _, p := range c.Phases {
			for topic, offsets := range p.Result.Offsets {
				for i, want := range offsets {
					if want == nil {
						continue
					}
					got := offset(kadm.Offset{At: want.Offset, Metadata: want.Metadata}, want.Index)
					if w, g := fmt.Sprint(*want.Version, *want.Time, sortedPairs(want.Progress)), fmt.Sprint(*got.Version, *got.Time, sortedPairs(got.Progress)); w != g {
						t.Errorf("%s: %s/%d: %s, want %s", c.Name, topic, i, g, w)
					}
				}
			}
		}
	}
	for _, b := range []string{"", "\x02", "\x02\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x01\xff\xff\xff\xff", "\x02\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\x09x"} {
		if o := offset(kadm.Offset{Metadata: base64.StdEncoding.EncodeToString([]byte(b))}, 0); len(o.Progress) != 0 {
			t.Errorf("%q: progress %v", b, o.Progress)
		}
	}
}

func TestAReportCountsCasesAndSaysHowToRunOneAlone(t *testing.T) {
	good, bad := &Case{Name: "good"}, &Case{Name: "bad"}
	var b strings.Builder
	ok := Report(&b, []*Run{
		{Case: good, Way: Plain}, {Case: good, Way: Takeover},
		{Case: bad, Way: Plain}, {Case: bad, Way: Takeover, Diff: &Diff{2, "t/0 keys[1]", "a", "b"}},
	})
	want := "cluster: 1 of 2 cases identical\nbad: takeover: phase 2 t/0 keys[1]: want a, got b (alone: make conformance-cluster SHOW=bad)\n"
	if ok || b.String() != want {
		t.Errorf("%v:\n%s", ok, b.String())
	}
	if got := Named([]*Case{good, bad}, "o"); len(got) != 1 || got[0] != good {
		t.Errorf("%v", got)
	}
}
