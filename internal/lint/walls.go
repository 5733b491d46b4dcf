package lint

import (
	"fmt"
	"slices"
	"strings"
)

// A Wall keeps a dependency inside a few packages.
type Wall struct {
	Dependency string  // prefix of its import paths
	Allowed    []Floor // Package and Why; Imports says nothing here
	Why        string
}

// Walls checks that dependencies stay behind their walls, in tests too.
func Walls(m *Module, walls []Wall) []Problem {
	var ps []Problem
	for _, f := range m.Files {
		for _, imp := range f.Imports {
			for _, w := range walls {
				if !strings.HasPrefix(imp.Path, w.Dependency) {
					continue
				}
				if !slices.ContainsFunc(w.Allowed, func(a Floor) bool { return matches(a.Package, f.Package) }) {
					ps = append(ps, Problem{Path: f.Path, Line: imp.Line, Text: fmt.Sprintf("%s must not import %s: %s", f.Package, imp.Path, w.Why)})
				}
			}
		}
	}
	return ps
}

// Linked returns the packages among deps, the import paths of all that is linked into a program, that begin with a
// prefix.
func Linked(deps []string, prefixes ...string) []string {
	var found []string
	for _, d := range deps {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(d, p) }) {
			found = append(found, d)
		}
	}
	return found
}
