package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Mode says how what a phase has added to a partition is compared.
type Mode string

// The modes, strictest first. Of a changelog all modes but Keys compare the state: the last record of each key from the
// beginning of the partition, deleted keys left out.
const (
	Sequence Mode = "sequence" // the same records in the same order
	Keys     Mode = "keys"     // for each key the same records in the same order
	Multiset Mode = "multiset" // the same records
	Loose    Mode = "loose"    // as Keys, but records with a null key may lie in any partition
	Final    Mode = "final"    // for each key the same last record
	State    Mode = "state"    // the state, of any topic
	Untimed  Mode = "untimed"  // the state, without timestamps
	Live     Mode = "live"     // the keys of the state
	None     Mode = "none"     // not compared
)

func (m Mode) check() error {
	if !slices.Contains([]Mode{Sequence, Keys, Multiset, Loose, Final, State, Untimed, Live, None}, m) {
		return fmt.Errorf("there is no way to compare called %q", m)
	}
	return nil
}

// exact reports whether committed offsets of a topic are determined.
func (m Mode) exact() bool { return m != Loose && m != None }

// view returns what a mode looks at of one partition, as lines: before is what was in it before the phase, added what the phase
// has added.
func (m Mode) view(changelog bool, before, added []Record) []string {
	switch {
	case m == None:
		return nil
	case m == State || m == Untimed || m == Live || changelog && m != Keys:
		return m.fold(before, added)
	}
	var lines []string
	switch m {
	case Sequence, Multiset:
		for _, r := range added {
			lines = append(lines, r.String())
		}
		if m == Multiset {
			slices.Sort(lines)
		}
	case Keys, Loose:
		keyed := slices.DeleteFunc(slices.Clone(added), func(r Record) bool { return m == Loose && r.Key == nil })
		slices.SortStableFunc(keyed, func(a, b Record) int { return strings.Compare(quoted(a.Key), quoted(b.Key)) })
		for _, r := range keyed {
			lines = append(lines, r.String())
		}
	case Final:
		last := map[string]string{}
		for _, r := range added {
			last[quoted(r.Key)] = r.String()
		}
		lines = sorted(last)
	}
	return lines
}

// fold returns the state.
func (m Mode) fold(parts ...[]Record) []string {
	last := map[string]string{}
	for _, part := range parts {
		for _, r := range part {
			switch key := quoted(r.Key); {
			case r.Value == nil:
				delete(last, key)
			case m == Live:
				last[key] = key
			case m == Untimed:
				last[key] = r.untimed()
			default:
				last[key] = r.String()
			}
		}
	}
	return sorted(last)
}

// unplaced returns what Loose looks at over all partitions of a topic: records with a null key.
func unplaced(t Topic) []string {
	var lines []string
	for _, p := range t.Partitions {
		for _, r := range p.Records {
			if r.Key == nil {
				lines = append(lines, r.String())
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func sorted(lines map[string]string) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		all = append(all, lines[key])
	}
	return all
}

// String spells all that is compared of a record.
func (r Record) String() string { return fmt.Sprintf("%s @%d", r.untimed(), r.Time) }

func (r Record) untimed() string {
	var b strings.Builder
	b.WriteString(quoted(r.Key) + "=" + quoted(r.Value))
	for _, h := range r.Headers {
		fmt.Fprintf(&b, " [%q %s]", h.Key, quoted(h.Value))
	}
	return b.String()
}

// quoted spells bytes so that no two are spelled alike.
func quoted(b *[]byte) string {
	if b == nil {
		return "∅"
	}
	return fmt.Sprintf("%q", *b)
}
