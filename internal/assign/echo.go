package assign

import (
	"fmt"
	"slices"
)

// echoFormat numbers the format of the user data of an assignment:
//
//	format byte ‖ n ‖ fingerprint…
const echoFormat = 1

// An Echo is what the leader saw of a member when it made an assignment. The coordinator gives a static member that
// comes back its former assignment without asking the leader, although the program may have changed: by the echo the
// member notices.
type Echo struct {
	Fingerprints []string // of the member's subtopologies
}

// Echo returns what the leader tells m with its assignment.
func (m Member) Echo() Echo {
	e := Echo{make([]string, len(m.Subs))}
	for i, s := range m.Subs {
		e.Fingerprints[i] = s.Fingerprint
	}
	e.Fingerprints = sortedSet(e.Fingerprints)
	return e
}

// AppendEcho appends the user data of an assignment to dst.
func AppendEcho(dst []byte, e Echo) []byte {
	return appendTexts(append(dst, echoFormat), sortedSet(e.Fingerprints))
}

// DecodeEcho reads the user data of an assignment. It fails with a *FormatError if a newer version wrote them.
func DecodeEcho(src []byte) (Echo, error) {
	r, err := open("user data of an assignment", src, echoFormat)
	if err != nil {
		return Echo{}, err
	}
	e := Echo{sortedSet(r.texts())}
	return e, r.close()
}

// Fits returns nil if an assignment was made for m as it is now. Otherwise m must not run it: it raises its Counter and
// forces a rebalance, so that the leader sees it anew.
func (m Member) Fits(e Echo, assigned map[string][]int32) error {
	if now := m.Echo(); !slices.Equal(now.Fingerprints, e.Fingerprints) {
		return fmt.Errorf("assign: the assignment was made for subtopologies %q, this process runs %q: rejoin the group", e.Fingerprints, now.Fingerprints)
	}
	for _, topic := range sortedKeys(assigned) {
		if len(assigned[topic]) > 0 && !slices.ContainsFunc(m.Subs, func(s Sub) bool { return slices.Contains(s.Topics, topic) }) {
			return fmt.Errorf("assign: topic %q was assigned, which this process does not read: rejoin the group", topic)
		}
	}
	return nil
}
