package lint

import (
	"fmt"
	"slices"
	"strings"
)

// A Floor is one row of the table of floors: a package, or a tree of them as "examples/...", and what it stands on.
type Floor struct {
	Package string
	Imports string // the packages of this module it imports, with spaces between; Anything: all below it may be
	Why     string // what it owns, and so why it needs no more
}

// Anything lets a package import every package in an earlier row, and a tree those of its own too.
const Anything = "*"

// Floors checks the imports of all files but tests against a table whose rows go from the lowest floor to the highest: a
// row may name earlier rows only, every package of the module has a row, and every row a package and no edge too many.
func Floors(m *Module, table []Floor) []Problem {
	var ps []Problem
	used := make([]bool, len(table))
	stands := map[[2]string]bool{} // on an edge of the table: package, what it imports
	for i, row := range table {
		for _, below := range strings.Fields(row.Imports) {
			if below != Anything && rowOf(table[:i], below) < 0 {
				ps = append(ps, Problem{Path: row.Package, Text: fmt.Sprintf("the table lets it import %s, which has no row on a lower floor: a package stands only on those below it", below)})
			}
		}
	}
	for _, dir := range m.Packages() {
		i := rowOf(table, dir)
		if i < 0 {
			ps = append(ps, Problem{Path: dir, Text: "a package without a row in the table of floors: add it above all it imports, with the reason"})
			continue
		}
		used[i] = true
		for _, f := range m.Files {
			if f.Package != dir || f.Test {
				continue
			}
			for _, imp := range f.Imports {
				to, ok := m.inside(imp.Path)
				if !ok {
					continue
				}
				stands[[2]string{table[i].Package, to}] = true
				if !mayImport(table, i, to) {
					ps = append(ps, Problem{Path: f.Path, Line: imp.Line, Text: fmt.Sprintf(
						"%s must not import %s (%s): move what is needed down, or give the edge a reason in the table of floors", dir, to, table[i].Why)})
				}
			}
		}
	}
	for i, row := range table {
		if !used[i] {
			ps = append(ps, Problem{Path: row.Package, Text: "a row in the table of floors without a package: remove it"})
			continue
		}
		for _, below := range strings.Fields(row.Imports) {
			if below != Anything && !stands[[2]string{row.Package, below}] {
				ps = append(ps, Problem{Path: row.Package, Text: "the table of floors lets it import " + below + ", and it does not: remove the edge"})
			}
		}
	}
	return ps
}

// rowOf returns the row of a package or of a tree as a whole, -1 if it has none.
func rowOf(table []Floor, dir string) int {
	return slices.IndexFunc(table, func(row Floor) bool { return row.Package == dir || matches(row.Package, dir) })
}

func mayImport(table []Floor, i int, to string) bool {
	row := table[i]
	for _, below := range strings.Fields(row.Imports) {
		if below == Anything {
			j := rowOf(table, to)
			return 0 <= j && (j < i || j == i && strings.HasSuffix(row.Package, "/..."))
		}
		if below == to {
			return true
		}
	}
	return false
}
