package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String spells a record as one line: key=value @time {headers} in step.
func (r *Record) String() string {
	if r == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s=%s", legible(r.Key), legible(r.Value))
	if r.Time != nil {
		fmt.Fprintf(&b, " @%d", *r.Time)
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, " {%s: %s}", h.Key, legible(h.Value))
	}
	fmt.Fprintf(&b, " in step %d", r.Step)
	return b.String()
}

// String spells a step as one line.
func (s Step) String() string {
	if s.AdvanceMs != nil {
		return fmt.Sprintf("wall +%d ms", *s.AdvanceMs)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s=%s @%d", s.Topic, shown(s.Key), shown(s.Value), s.Time)
	for _, h := range s.Headers {
		fmt.Fprintf(&b, " {%s: %s}", *h[0], shown(h[1]))
	}
	return b.String()
}

// String spells a row as one line.
func (r *Row) String() string {
	if r == nil {
		return "nothing"
	}
	var b strings.Builder
	b.WriteString(legible(&r.Key))
	if r.Window != nil {
		fmt.Fprintf(&b, "[%d,%d]", r.Window[0], r.Window[1])
	}
	switch {
	case r.Number != nil:
		fmt.Fprintf(&b, "=%d", *r.Number)
	case r.Value != nil:
		fmt.Fprintf(&b, "=%s", legible(r.Value))
	case r.AsOf != nil:
		fmt.Fprintf(&b, " latest %v", r.Latest)
		for _, a := range r.AsOf {
			fmt.Fprintf(&b, ", at %d %v", a.Time, a.Version)
		}
	}
	if r.Time != nil {
		fmt.Fprintf(&b, " @%d", *r.Time)
	}
	return b.String()
}

func (v *Version) String() string {
	if v == nil {
		return "none"
	}
	until := ""
	if v.Until != nil {
		until = fmt.Sprintf("-%d", *v.Until)
	}
	return fmt.Sprintf("%s@%d%s", legible(v.Value), v.Time, until)
}

// String spells where a case ended, and of what is known why.
func (e *Error) String() string {
	if e == nil {
		return "no error"
	}
	s := "error in phase " + e.Phase
	if e.Step != nil {
		s += fmt.Sprintf(" step %d", *e.Step)
	}
	if why := or(e.Cause, e.Class); why != "" {
		s += " (" + why + ")"
	}
	return s
}

// legible spells bytes as text, and runs of what is none as hexadecimal numbers in brackets.
func legible(b *[]byte) string {
	if b == nil {
		return null
	}
	if len(*b) == 0 {
		return `""`
	}
	var out strings.Builder
	var raw []byte
	flush := func() {
		if len(raw) > 0 {
			fmt.Fprintf(&out, "<%x>", raw)
			raw = raw[:0]
		}
	}
	for rest := *b; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			flush()
			out.WriteRune(r)
		} else {
			raw = append(raw, rest[:size]...)
		}
		rest = rest[size:]
	}
	flush()
	return out.String()
}
