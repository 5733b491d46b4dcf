package conformance

import (
	_ "embed"
	"strings"
)

// Two behaviours of Kafka Streams are faults that Millrace does not copy. Their cases stand here once more, with what Millrace
// does instead:
//
//   - emit-on-close/jump-with-default-retention: event time jumps beyond the retention of a window store, and closed windows are
//     lost. Millrace sends every closed window once; with ktable.EmitRetained it loses them too, and the case is identical.
//   - join-table/grace-null-key: a record without a key ends a left join with grace. Millrace joins it with nothing, as it does
//     without grace.
//
//go:embed instead.jsonl
var instead string

// Instead returns the cases in which Millrace differs, with what it does.
func Instead() ([]*Case, error) { return Read(strings.NewReader(instead)) }

// intended reports whether Millrace differs from a case as it says in Instead.
func intended(c *Case) bool {
	own, err := Instead()
	if err != nil {
		return false
	}
	for _, o := range own {
		if o.Name == c.Name {
			return Check(o, Options{Own: true}) == nil && o.asks(c)
		}
	}
	return false
}

// asks reports whether two cases have the same topology and steps.
func (c *Case) asks(other *Case) bool {
	if len(c.Topology) != len(other.Topology) || len(c.Steps) != len(other.Steps) {
		return false
	}
	for i := range c.Topology {
		if c.Topology[i].String() != other.Topology[i].String() {
			return false
		}
	}
	for i := range c.Steps {
		if c.Steps[i].String() != other.Steps[i].String() {
			return false
		}
	}
	return true
}
