package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Node is one operation of a topology. Its fields are read by name; what nobody has read at the end is unknown.
type Node struct {
	Op, ID, Type string
	fields       map[string]json.RawMessage
	read         map[string]bool
}

// UnmarshalJSON reads an operation.
func (n *Node) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &n.fields); err != nil {
		return err
	}
	n.read = map[string]bool{}
	for field, into := range map[string]*string{"op": &n.Op, "id": &n.ID, "type": &n.Type} {
		if n.has(field) {
			*into = n.text(field)
		}
	}
	if n.Op == "" {
		return fmt.Errorf("an operation without op: %s", b)
	}
	return nil
}

// String spells the operation as a line.
func (n *Node) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", n.Op, n.ID)
	for _, f := range slices.Sorted(maps.Keys(n.fields)) {
		if f != "op" && f != "id" && f != "type" {
			fmt.Fprintf(&b, " %s=%s", f, n.fields[f])
		}
	}
	if n.Type != "" {
		fmt.Fprintf(&b, " : %s", n.Type)
	}
	return b.String()
}

// has reports whether the field is there and not null.
func (n *Node) has(field string) bool {
	b, ok := n.fields[field]
	n.read[field] = true
	return ok && string(b) != "null"
}

// get reads a field, if it is there.
func (n *Node) get(field string, into any) bool {
	if !n.has(field) {
		return false
	}
	if err := strict(n.fields[field], into); err != nil {
		unknown("field %s: %v", field, err)
	}
	return true
}

// text returns a field that must be there.
func (n *Node) text(field string) (s string) {
	if !n.get(field, &s) {
		unknown("field %s is missing", field)
	}
	return s
}

// maybe returns a field, "" if it is not there.
func (n *Node) maybe(field string) (s string) {
	n.get(field, &s)
	return s
}

// list returns a list, which may be written as one text.
func (n *Node) list(field string) (l []string) {
	if b := n.fields[field]; len(b) > 0 && b[0] == '"' {
		return []string{n.text(field)}
	}
	n.get(field, &l)
	return l
}

// flag returns a truth value.
func (n *Node) flag(field string, otherwise bool) bool {
	n.get(field, &otherwise)
	return otherwise
}

// number returns a number.
func (n *Node) number(field string, otherwise int64) int64 {
	n.get(field, &otherwise)
	return otherwise
}

// span returns a duration given in milliseconds, 0 if it is not there.
func (n *Node) span(field string) time.Duration {
	return time.Duration(n.number(field, 0)) * time.Millisecond
}

// one returns a field that must be one of the given words; the first stands for a field that is not there.
func (n *Node) one(field string, of ...string) string {
	s := of[0]
	if n.get(field, &s); !slices.Contains(of, s) {
		unknown("field %s is %q: want one of %q", field, s, of)
	}
	return s
}

// rest returns the fields nobody has read.
func (n *Node) rest() (left []string) {
	for f := range n.fields {
		if !n.read[f] {
			left = append(left, f)
		}
	}
	slices.Sort(left)
	return left
}

// An Unknown is a word of the language, or a combination of words, that the interpreter has no meaning for. The case fails.
type Unknown struct{ What string }

func (u Unknown) Error() string { return "conformance: " + u.What }

// unknown ends the case. Execute recovers it.
func unknown(format string, args ...any) { panic(Unknown{fmt.Sprintf(format, args...)}) }

// Word returns a field of an operation that is text, "" if it is not there or none. It does not count as read.
func (n *Node) Word(field string) (s string) {
	if json.Unmarshal(n.fields[field], &s) != nil {
		return ""
	}
	return s
}
