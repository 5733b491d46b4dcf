package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report runs cases and writes how many are identical, and a line for each that is not. It reports whether all are, but for
// those in which Millrace differs as Instead says; they are not counted as identical.
func Report(w io.Writer, cases []*Case) bool {
	var lines []string
	ok, identical := true, 0
	for _, c := range cases {
		d := Check(c, Options{})
		switch {
		case d == nil:
			identical++
		case intended(c):
			lines = append(lines, fmt.Sprintf("%s: differs as intended: %s", c.Name, d))
		default:
			ok = false
			lines = append(lines, fmt.Sprintf("%s: %s", c.Name, d))
		}
	}
	fmt.Fprintf(w, "conformance: %d of %d cases identical\n", identical, len(cases))
	for _, l := range lines {
		fmt.Fprintln(w, l)
	}
	return ok
}

// Show writes the case of a name in full, or those with it in their name: topology, steps, and what was recorded beside what
// is seen. It reports whether all are identical; a name that no case has is an error.
func Show(w io.Writer, cases []*Case, name string) (bool, error) {
	found := slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return c.Name != name })
	if len(found) == 0 {
		found = slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return !strings.Contains(c.Name, name) })
	}
	if len(found) == 0 {
		return false, fmt.Errorf("conformance: no case has %q in its name", name)
	}
	same := true
	for _, c := range found {
		same = c.show(w) && same
	}
	return same, nil
}

func (c *Case) show(w io.Writer) bool {
	fmt.Fprintf(w, "case %s %+v\n", c.Name, c.Config)
	for _, n := range c.Topology {
		fmt.Fprintf(w, "  %s\n", n)
	}
	for i, s := range c.Steps {
		fmt.Fprintf(w, "  %3d  %s\n", i, s)
	}
	seen, nulls, err := Run(c, Options{})
	if err != nil {
		fmt.Fprintf(w, "cannot be run: %v\n\n", err)
		return false
	}
	fmt.Fprintf(w, "functions meet nulls: %v\n", nulls)
	lines(w, "error", 1, 1, func(int) (string, string, bool) {
		return c.Expected.Error.String(), seen.Error.String(), c.compareErrors(seen) == nil
	})
	for _, name := range keys(c.Expected.Topics, seen.Topics) {
		want, got := c.canonical(name, c.Expected.Topics[name]), c.canonical(name, seen.Topics[name])
		lines(w, name, len(want), len(got), func(i int) (string, string, bool) {
			a, b := at(want, i), at(got, i)
			return a.String(), b.String(), sameRecord(a, b)
		})
	}
	for _, name := range keys(c.Expected.Stores, seen.Stores) {
		want, got := c.Expected.Stores[name], seen.Stores[name]
		lines(w, "store "+name+" "+want.Kind, len(want.Rows), len(got.Rows), func(i int) (string, string, bool) {
			a, b := at(want.Rows, i).String(), at(got.Rows, i).String()
			return a, b, a == b
		})
	}
	lines(w, "dropped", 1, 1, func(int) (string, string, bool) {
		return fmt.Sprint(c.Expected.Dropped), fmt.Sprint(seen.Dropped), c.Expected.Dropped == seen.Dropped
	})
	d := c.Compare(seen)
	if d == nil {
		fmt.Fprint(w, "identical\n\n")
	} else {
		fmt.Fprintf(w, "NOT identical: %s\n\n", d)
	}
	return d == nil
}

// at returns a pointer to an element, nil beyond the end.
func at[T any](of []T, i int) *T {
	if i < len(of) {
		return &of[i]
	}
	return nil
}

// lines writes what was recorded beside what is seen, and marks the lines that differ.
func lines(w io.Writer, title string, want, got int, line func(i int) (want, got string, same bool)) {
	fmt.Fprintln(w, title)
	for i := range max(want, got) {
		a, b, same := line(i)
		mark := " "
		if !same {
			mark = ">"
		}
		fmt.Fprintf(w, "%s %3d  %-60s   %s\n", mark, i, a, b)
	}
}
